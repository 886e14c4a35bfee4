import { OptionNumber, readUint } from '@breakwater/coap'
import { Minutes, Seconds } from '@breakwater/core'
import type { Redirection } from '@breakwater/dots'
import { address } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { ServerBed, certificate, cuid, entryOf, only } from '../../packages/dots/test/server/server-bed.ts'
import type { Seen } from '../../packages/dots/test/server/server-bed.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }

const ELSEWHERE: Redirection = {
  server: 'alt-server.example',
  addresses: [address('2001:db8:6401::1'), address('2001:db8:6401::2')],
  ttlSeconds: 7200,
  clients: 'all'
}

/** The body of Figure 26. */
const FIGURE_26 = {
  redirectedSignal: {
    altServer: 'alt-server.example',
    altServerRecord: ['2001:db8:6401::1', '2001:db8:6401::2']
  }
}

function maxAgeOf({ response }: Seen): number | undefined {
  return readUint(response.options, OptionNumber.maxAge)
}

function redirecting(redirection: Redirection = ELSEWHERE): ServerBed {
  return new ServerBed({ policy: { redirection } })
}

describe('RFC 9132 §4.6: a server that sends its clients elsewhere', () => {
  it('answers 5.03 with name and addresses of the other server, as in Figure 26, and its TTL as Max-Age', () => {
    const bed = redirecting()
    const answer = only(bed.establish().put(1, TARGET))
    expect(answer.code).toBe('5.03')
    expect(answer.body).toEqual(FIGURE_26)
    expect(maxAgeOf(answer)).toBe(7200)
    expect(bed.records.size).toBe(0)
    expect(bed.eventsOf('request').map(({ outcome }) => outcome)).toEqual(['redirected'])
  })

  it.each([0, 4_294_967_295])('a TTL of %i is told as it is', (ttlSeconds) => {
    const answer = only(
      redirecting({ ...ELSEWHERE, ttlSeconds })
        .establish()
        .put(1, TARGET)
    )
    expect(maxAgeOf(answer)).toBe(ttlSeconds)
  })

  it('names no addresses where none are known', () => {
    const answer = only(
      redirecting({ ...ELSEWHERE, addresses: [] })
        .establish()
        .put(1, TARGET)
    )
    expect(answer.body).toEqual({ redirectedSignal: { altServer: 'alt-server.example' } })
  })

  it('does so to every request but heartbeats and withdrawals', () => {
    const peer = redirecting().establish()
    expect(only(peer.get()).code).toBe('5.03')
    expect(only(peer.config()).code).toBe('5.03')
    expect(only(peer.heartbeat()).code).toBe('2.04')
    expect(only(peer.delete(1)).code).toBe('2.02')
  })

  it('sends only those clients that the operator names', () => {
    const bed = redirecting({ ...ELSEWHERE, clients: ['other'] })
    expect(only(bed.establish().put(1, TARGET)).code).toBe('2.01')
    const other = bed.establish(certificate('client.other.net'))
    const theirs = { targetPrefix: ['198.51.100.7/32'], lifetime: 60 }
    expect(only(other.put(1, theirs, cuid('other'))).code).toBe('5.03')
  })

  it('tells a stranger nothing: 4.01', () => {
    expect(only(redirecting().establish(certificate('stranger.example')).put(1, TARGET)).code).toBe('4.01')
  })

  it('tells observers in a unidirectional notification, with which their observation ends', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    expect(only(peer.config([{ number: OptionNumber.observe, value: new Uint8Array(0) }])).code).toBe('2.05')
    bed.feed({ kind: 'redirection', redirection: ELSEWHERE })
    bed.advance(Seconds(4))
    expect(peer.notifications.map(({ code, body }) => [code, body])).toEqual([['5.03', FIGURE_26]])
    expect(maxAgeOf(peer.notifications[0] as Seen)).toBe(7200)
    peer.configure(1, { idleConfig: { maxRetransmit: { currentValue: 4 } } })
    bed.advance(Seconds(10))
    expect(peer.notifications).toHaveLength(1)
  })

  it('leaves a client alone while a mitigation of its is under way, and sends it on when that is over', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.put(1, TARGET)
    peer.observe()
    bed.advance(Seconds(4))
    bed.feed({ kind: 'redirection', redirection: ELSEWHERE })
    bed.advance(Seconds(60))
    expect(peer.notifications.every(({ code }) => code === '2.05')).toBe(true)
    expect(only(peer.put(1, TARGET)).code).toBe('2.04')
    expect(only(peer.put(2, { ...TARGET, targetPrefix: ['192.0.2.8/32'] })).code).toBe('2.01')
    peer.delete(1)
    peer.delete(2)
    peer.notifications.length = 0
    bed.advance(Seconds(130))
    // First how it ended, then where to go.
    const told = peer.notifications.map((seen) => (seen.code === '2.05' ? entryOf(seen).status : seen.code))
    expect(told.slice(-2)).toEqual([6, '5.03'])
    expect(only(peer.put(3, TARGET)).code).toBe('5.03')
  })

  it('serves again when the operator takes it back', () => {
    const bed = redirecting()
    const peer = bed.establish()
    expect(only(peer.put(1, TARGET)).code).toBe('5.03')
    bed.feed({ kind: 'redirection', redirection: undefined })
    expect(only(peer.put(1, TARGET)).code).toBe('2.01')
  })

  it('sends on a client that has nothing here but requests that wait for the loss of its signal', () => {
    const { bed, peer } = standingBy()
    expect(peer.notifications.map(({ code }) => code)).toEqual(['5.03'])
    expect(only(peer.put(1, STANDING)).code).toBe('5.03')
    expect(bed.plans()).toEqual([])
  })

  it('does not take it for lost when it goes there', () => {
    const { bed, peer } = standingBy()
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'close-notify' })
    bed.advance(Minutes(30))
    expect(bed.plans()).toEqual([])
    expect(bed.eventsOf('signal-lost')).toEqual([])
  })

  it('takes it for lost when it falls silent instead', () => {
    const { bed, peer } = standingBy()
    peer.answersHeartbeats = false
    bed.advance(Minutes(30))
    expect(bed.plans()).toHaveLength(1)
  })

  it('does not take it for gone while another session of its is here, and for lost when that falls silent', () => {
    const { bed, peer } = standingBy()
    bed.establish().answersHeartbeats = false
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'close-notify' })
    bed.advance(Minutes(30))
    expect(bed.plans()).toHaveLength(1)
  })

  it('and takes it for lost when it has come back and then falls silent', () => {
    const { bed, peer } = standingBy()
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'close-notify' })
    bed.advance(Minutes(5))
    bed.establish().answersHeartbeats = false
    bed.advance(Minutes(30))
    expect(bed.plans()).toHaveLength(1)
  })
})

const STANDING = { targetPrefix: ['192.0.2.7/32'], lifetime: 36_000, triggerMitigation: false }

/** A client that set something up for the loss of its signal, and is sent elsewhere. */
function standingBy(): { readonly bed: ServerBed; readonly peer: ReturnType<ServerBed['establish']> } {
  const bed = new ServerBed()
  const peer = bed.establish()
  expect(only(peer.put(1, STANDING)).code).toBe('2.01')
  peer.observe()
  bed.advance(Seconds(4))
  bed.feed({ kind: 'redirection', redirection: ELSEWHERE })
  bed.advance(Seconds(4))
  return { bed, peer }
}
