import { Code, encodeMessage, Method, uriPath } from '@breakwater/coap'
import { Milliseconds, Seconds } from '@breakwater/core'
import { DEFAULT_SERVER_POLICY, DEFAULT_SESSION_PARAMETERS } from '@breakwater/dots'
import { describe, expect, test } from 'vitest'

import { Lockstep } from '../../packages/coap/test/lockstep.ts'
import { ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import { target } from '../../packages/dots/test/multihoming/sites.ts'
import { certificate, only, ServerBed } from '../../packages/dots/test/server/server-bed.ts'

const nothing = new Uint8Array(0)

describe('RFC 7252 §4: messages', () => {
  test('no Empty Non-confirmable message can be sent [RFC7252-4.3-M01]', () => {
    const empty = { code: Code.empty, messageId: 1, token: nothing, options: [], payload: nothing }
    expect(() => encodeMessage({ ...empty, type: 'non-confirmable' })).toThrow('Empty')
    expect(() => encodeMessage({ ...empty, type: 'confirmable' })).not.toThrow()
    expect(() => encodeMessage({ ...empty, type: 'non-confirmable', code: Method.get })).not.toThrow()
  })

  test('with block-wise transfer in its default size no payload is above 1024 bytes, no message above 1152 [RFC7252-4.6-S01] [RFC7252-4.6-S02]', () => {
    const session = new Lockstep({ blockwise: { maximumBodyBytes: 100_000, preferredSize: 1024 } })
    session.request(1, Method.put, 'a-path-of-some-length', { payload: new Uint8Array(5000) })
    session.receive('CON [0001] GET (0102030405060708) /x')
    session.respond(1, Code.content, new Uint8Array(5000), { options: uriPath() })
    session.receive('CON [0002] GET (0102030405060708) /y')
    session.respond(2, Code.content, new Uint8Array(1025))
    expect(session.sent).toHaveLength(3)
    for (const bytes of session.sent) {
      expect(bytes.length).toBeGreaterThan(1024)
      expect(bytes.length).toBeLessThanOrEqual(1152)
    }
  })
})

const probing = (rate: number): Lockstep => new Lockstep({ draw: 0, probingRateBytesPerSecond: rate })

describe('RFC 7252 §4.7: the rate to whom does not respond', () => {
  const nonConfirmable = { confirmable: false }

  test('Non-confirmable requests stay below PROBING_RATE on average [RFC7252-4.7-M02]', () => {
    const client = probing(5)
    client.get(1, 'a', nonConfirmable)
    for (let second = 0; second < 600; second++) {
      client.repeat(1)
      if (second === 100) client.request(2, Method.put, 'b', { ...nonConfirmable, payload: 'x'.repeat(100) })
      client.advance(Seconds(1))
    }
    const bytes = client.sent.reduce((sum, { length }) => sum + length, 0)
    expect(bytes).toBeGreaterThan(2900)
    // The last one may have left just now.
    expect(bytes - (client.sent.at(-1)?.length ?? 0)).toBeLessThanOrEqual(3000)
  })

  test('each waits for as long as the one before is worth, and then goes by itself [RFC7252-4.7-M02]', () => {
    const client = probing(1)
    expect(client.get(1, 'a', nonConfirmable)).toHaveLength(1)
    const [first] = client.sent
    expect(client.get(2, 'b', nonConfirmable)).toEqual([])
    const worth = first?.length ?? 0
    expect(client.advance(Seconds(worth - 0.1))).toEqual([])
    expect(client.advance(Seconds(0.2))).toEqual(['> NON [0001] GET (00000001) /b'])
  })

  test('whatever the peer says lifts the limit, and what waited goes', () => {
    const client = probing(1)
    client.get(1, 'a', nonConfirmable)
    client.get(2, 'b', nonConfirmable)
    expect(client.receive('NON [0009] 2.05 (00000000) "a"')).toEqual([
      'response 1 2.05 "a" final',
      '> NON [0001] GET (00000001) /b'
    ])
  })

  test('what is cancelled while it waits, is never sent', () => {
    const client = probing(1)
    client.get(1, 'a', nonConfirmable)
    client.get(2, 'b', nonConfirmable)
    client.cancel(2)
    expect(client.advance(Seconds(1000))).toEqual([])
    expect(client.session.nextTimeout()).toBeUndefined()
  })

  test('a DOTS client keeps its questions below the rate that was negotiated [RFC7252-4.7-M02]', () => {
    const server = new ScriptedServer()
    server.feed({ kind: 'start' })
    server.feed({ kind: 'established', connection: server.connection })
    server.pass(Seconds(240))
    const questions = server.heard.filter(({ text }) => text.startsWith('GET'))
    expect(questions.length).toBeGreaterThan(3)
    const bytes = questions.slice(0, -1).reduce((sum, { message }) => sum + encodeMessage(message).length, 0)
    expect(bytes).toBeLessThanOrEqual(240 * DEFAULT_SESSION_PARAMETERS.probingRateBytesPerSecond)
  })

  test('also where it has many of them, to a server that has fallen silent [RFC7252-4.7-M02]', () => {
    const server = new ScriptedServer()
    server.connect()
    const hosts = Array.from({ length: 12 }, (_, index) => index)
    for (const host of hosts) {
      server.want(...hosts.slice(0, host + 1).map((each) => want(`${each}`, target(`198.51.100.${each}/32`))))
      server.grant(36_000)
    }
    const before = server.heard.length
    server.pass(Seconds(240))
    const questions = server.heard.slice(before).filter(({ text }) => text.startsWith('GET'))
    expect(questions.length).toBeGreaterThan(6)
    const bytes = questions.slice(0, -1).reduce((sum, { message }) => sum + encodeMessage(message).length, 0)
    expect(bytes).toBeLessThanOrEqual(240 * DEFAULT_SESSION_PARAMETERS.probingRateBytesPerSecond)
  })
})

describe('RFC 7252 §4.7: the rate of responses', () => {
  test('a DOTS server answers a client that floods it at a limited rate only, and others as ever [RFC7252-4.7-S01]', () => {
    const limits = {
      ...DEFAULT_SERVER_POLICY.limits,
      requestsPerClientPerSecond: 1,
      requestBurstPerClient: 10
    }
    const bed = new ServerBed({ policy: { limits } })
    const [flooder, other] = [bed.establish(), bed.establish(certificate('client.other.net'))]
    let [served, refused] = [0, 0]
    for (let turn = 0; turn < 1000; turn++) {
      const [seen] = flooder.config()
      if (seen?.code === '2.05') served++
      else if (seen?.code === '4.29') refused++
      else flooder.forget()
      bed.advance(Milliseconds(10))
    }
    // In 10 seconds: a burst of 10 and one in each second, of answers and of refusals; beyond that, silence.
    for (const said of [served, refused]) {
      expect(said).toBeGreaterThanOrEqual(18)
      expect(said).toBeLessThanOrEqual(21)
    }
    expect(bed.sent.filter(({ peer }) => peer === flooder.id)).toHaveLength(served + refused)
    expect(only(other.config()).code).toBe('2.05')
  })
})
