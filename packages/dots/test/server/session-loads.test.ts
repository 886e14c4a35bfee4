import { Seconds } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { ServerBed } from './server-bed.ts'

describe('what an operator sees of the CoAP sessions of a server', () => {
  it('is how much they hold together', () => {
    const bed = new ServerBed()
    expect(bed.machine.loads()).toMatchObject({ coap_sessions: 0, coap_messages_remembered: 0 })
    const [first, second] = [bed.establish(), bed.establish()]
    first.put(7, { targetPrefix: ['192.0.2.7/32'], lifetime: 600 })
    first.observe(7)
    second.heartbeat()
    expect(bed.machine.loads()).toMatchObject({
      coap_sessions: 2,
      coap_observers: 1,
      coap_messages_remembered: 3,
      coap_requests_unanswered: 0,
      coap_remembered_evicted_total: 0
    })
  })

  it('does not hold what a session held that is over', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    peer.heartbeat()
    expect(bed.machine.loads()).toMatchObject({ coap_sessions: 1, coap_messages_remembered: 1 })
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'close-notify' })
    expect(bed.machine.loads()).toMatchObject({ coap_sessions: 0, coap_messages_remembered: 0 })
  })

  it('counts messages that were forgotten for want of room, also of sessions that are over', () => {
    const bed = new ServerBed()
    const peer = bed.establish()
    let sent = 0
    const loads = (): Readonly<Record<string, number>> => bed.machine.loads()
    while (loads()['coap_remembered_evicted_total'] === 0 && sent < 10_000) {
      peer.heartbeat()
      sent++
    }
    expect(loads()).toMatchObject({ coap_messages_remembered: sent - 1, coap_remembered_evicted_total: 1 })
    bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'close-notify' })
    bed.advance(Seconds(1))
    expect(loads()).toMatchObject({ coap_messages_remembered: 0, coap_remembered_evicted_total: 1 })
  })
})
