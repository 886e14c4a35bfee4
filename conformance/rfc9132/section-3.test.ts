import { Method, OptionNumber, readUint, uintOption, uriPath } from '@breakwater/coap'
import { CONTENT_FORMAT_DOTS_CBOR, mitigatePath } from '@breakwater/dots'
import { encodeSignal } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { CUID, ServerBed, certificate, mid, only } from '../../packages/dots/test/server/server-bed.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }

function formatOf(seen: { response: { options: Parameters<typeof readUint>[0] } }): number | undefined {
  return readUint(seen.response.options, OptionNumber.contentFormat)
}

describe('RFC 9132 §3, §4.2, §9: CoAP as the DOTS signal channel uses it', () => {
  it('§3: a server supports PUT, GET and DELETE [RFC9132-3-M02]', () => {
    const peer = new ServerBed().establish()
    expect(only(peer.put(1, TARGET)).code).toBe('2.01')
    expect(only(peer.get(1)).code).toBe('2.05')
    expect(only(peer.delete(1)).code).toBe('2.02')
  })

  it('§3: payloads of 2.xx are application/dots+cbor [RFC9132-3-M03]', () => {
    const peer = new ServerBed().establish()
    for (const answers of [
      peer.put(1, TARGET),
      peer.put(1, TARGET),
      peer.get(1),
      peer.get(),
      peer.config()
    ]) {
      expect(only(answers).code).toMatch(/^2\./)
      expect(formatOf(only(answers))).toBe(CONTENT_FORMAT_DOTS_CBOR)
    }
    expect(only(peer.delete(1)).response.payload).toHaveLength(0)
    expect(only(peer.heartbeat()).response.payload).toHaveLength(0)
  })

  it('§3: 4.xx and 5.xx carry a diagnostic payload [RFC9132-3-M04]', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    const stranger = bed.establish(certificate('stranger.example.org'))
    const refused = [
      stranger.get(1),
      peer.get(1),
      peer.put(1, { ...TARGET, lifetime: 0 }),
      peer.request(Method.post, mitigatePath(CUID)),
      peer.request(Method.get, uriPath('somewhere', 'else')),
      peer.config([uintOption(OptionNumber.accept, 50)])
    ].map(only)
    bed.storeFailure = { code: 'STORE_DOWN', message: 'no disk', retryable: true }
    refused.push(only(peer.put(2, TARGET)))
    expect(refused.map(({ code }) => code)).toEqual(['4.01', '4.04', '4.00', '4.05', '4.04', '4.06', '5.03'])
    for (const { text, response } of refused) {
      expect(text.length).toBeGreaterThan(10)
      // RFC 7252 §5.5.2: a diagnostic payload goes without Content-Format.
      expect(response.options.some(({ number }) => number === OptionNumber.contentFormat)).toBe(false)
    }
  })

  it('§4.2: the operations stand below /.well-known/dots [RFC9132-4.2-M01]', () => {
    const peer = new ServerBed().establish()
    const path = uriPath('.well-known', 'dots', 'mitigate', `cuid=${CUID}`, 'mid=1')
    const body = encodeSignal({ mitigationScope: { scope: [TARGET] } })
    expect(only(peer.request(Method.put, path, body)).code).toBe('2.01')
    expect(only(peer.request(Method.get, uriPath('.well-known', 'dots', 'config'))).code).toBe('2.05')
    const heartbeat = encodeSignal({ heartbeat: { peerHbStatus: true } })
    expect(only(peer.request(Method.put, uriPath('.well-known', 'dots', 'hb'), heartbeat)).code).toBe('2.04')
    const elsewhere = uriPath('dots', 'mitigate', `cuid=${CUID}`, 'mid=1')
    expect(only(peer.request(Method.get, elsewhere)).code).toBe('4.04')
    expect(only(peer.request(Method.get, uriPath('.well-known', 'dots', 'mitigation'))).code).toBe('4.04')
    expect(only(peer.request(Method.get, uriPath('.well-known', 'dots'))).code).toBe('4.04')
  })

  it('§9: a peer whose identity no client domain has gets 4.01, whatever it asks', () => {
    const bed = new ServerBed()
    const stranger = bed.establish(certificate('stranger.example.org'))
    const answers = [
      stranger.put(1, TARGET),
      stranger.get(),
      stranger.delete(1),
      stranger.heartbeat(),
      stranger.config()
    ]
    expect(answers.map((each) => only(each).code)).toEqual(['4.01', '4.01', '4.01', '4.01', '4.01'])
    expect(bed.records.size).toBe(0)
  })

  it('§9: a Content-Format other than application/dots+cbor is 4.15', () => {
    const peer = new ServerBed().establish()
    const options = [...mitigatePath(CUID, mid(1)), uintOption(OptionNumber.contentFormat, 60)]
    expect(only(peer.request(Method.put, options, Uint8Array.of(0xa0))).code).toBe('4.15')
  })

  it('§9: a critical option that we do not understand is 4.02 in a Confirmable request, with a diagnostic', () => {
    const peer = new ServerBed().establish()
    for (const number of [OptionNumber.ifNoneMatch, 9999]) {
      const options = [...mitigatePath(CUID, mid(1)), uintOption(number, 1)].toSorted(
        (a, b) => a.number - b.number
      )
      const answer = only(peer.request(Method.put, options, Uint8Array.of(0xa0), true))
      expect(answer.code).toBe('4.02')
      expect(answer.text).not.toBe('')
    }
  })

  it('§9: a method that a resource does not have is 4.05', () => {
    const peer = new ServerBed().establish()
    const heartbeat = uriPath('.well-known', 'dots', 'hb')
    const config = uriPath('.well-known', 'dots', 'config')
    expect(only(peer.request(Method.get, heartbeat)).code).toBe('4.05')
    expect(only(peer.request(Method.delete, heartbeat)).code).toBe('4.05')
    expect(only(peer.request(Method.post, config)).code).toBe('4.05')
    expect(only(peer.request(Method.patch, mitigatePath(CUID))).code).toBe('4.05')
  })
})
