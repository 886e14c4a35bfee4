import { Code, decodeMessage, encodeMessage } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import { Instant } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { configQuestion } from '../../../src/client/session/errand.ts'
import { Pacing } from '../../../src/client/session/pacing.ts'
import { SignalSession } from '../../../src/client/session/session.ts'

describe('a Confirmable request tells the round trip', () => {
  it('when CoAP sent it once', () => {
    const { session, pacing, copies } = asked()
    answer(session, copies[0]!, Instant(400))
    expect(pacing.roundTrip).toBe(400)
  })

  it('not when CoAP repeated it: which copy was answered, nobody knows (RFC 6298 §3), and the pace is one in 3 seconds', () => {
    const { session, pacing, copies } = asked()
    session.handleTimeout(session.nextTimeout()!)
    drain(session, copies)
    expect(copies).toHaveLength(2)
    const now = Instant(2900)
    answer(session, copies[1]!, now)
    expect(pacing.roundTrip).toBeUndefined()
    pacing.sent(now)
    expect(pacing.nextAt()).toBe(5900)
  })
})

function asked(): { session: SignalSession; pacing: Pacing; copies: CoapMessage[] } {
  const pacing = new Pacing()
  const session = new SignalSession({ entropy: seededEntropy(5), transport: 'udp', pacing }, Instant(0))
  session.handle({ kind: 'ask', errand: { kind: 'config' }, request: configQuestion(undefined) }, Instant(0))
  session.handle({ kind: 'send' }, Instant(0))
  const copies: CoapMessage[] = []
  drain(session, copies)
  return { session, pacing, copies }
}

function drain(session: SignalSession, copies: CoapMessage[]): void {
  for (let output = session.poll(); output !== undefined; output = session.poll())
    if (output.kind === 'send') copies.push(decodeMessage(output.bytes))
}

function answer(session: SignalSession, { messageId, token }: CoapMessage, now: Instant): void {
  const bytes = encodeMessage({
    type: 'acknowledgement',
    code: Code.content,
    messageId,
    token,
    options: [],
    payload: new Uint8Array(0)
  })
  session.handle({ kind: 'datagram', bytes }, now)
}
