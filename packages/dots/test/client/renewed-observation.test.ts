import { Code, OptionNumber, decodeMessage, encodeMessage, uintOption } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import { Instant, Milliseconds, Seconds, after } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { listRequest } from '../../src/client/session/errand.ts'
import { Pacing } from '../../src/client/session/pacing.ts'
import { SignalSession } from '../../src/client/session/session.ts'
import { parseCuid } from '../../src/domain/identifier.ts'
import { DEFAULT_SESSION_PARAMETERS } from '../../src/signal/defaults.ts'

const pacing = new Pacing()
const session = new SignalSession(
  {
    entropy: seededEntropy(1),
    transport: 'udp',
    pacing,
    parameters: { ...DEFAULT_SESSION_PARAMETERS, heartbeatIntervalSeconds: 0 }
  },
  Instant(0)
)

function lastSent(): CoapMessage | undefined {
  let last: CoapMessage | undefined
  for (let output = session.poll(); output !== undefined; output = session.poll())
    if (output.kind === 'send') last = decodeMessage(output.bytes)
  return last
}

function notify(request: CoapMessage | undefined, sequence: number, now: Instant): void {
  const bytes = encodeMessage({
    type: 'non-confirmable',
    code: Code.content,
    messageId: 7000 + sequence,
    token: request?.token ?? new Uint8Array(0),
    options: [uintOption(OptionNumber.observe, sequence)],
    payload: new Uint8Array(0)
  })
  session.handle({ kind: 'datagram', bytes }, now)
}

describe('a client that asks again for what it observes', () => {
  it('does not take a notification that was on its way for the answer: its round trip stays what it was', () => {
    const cuid = parseCuid('site') ?? expect.fail()
    session.handle({ kind: 'ask', errand: { kind: 'list' }, request: listRequest(cuid) }, Instant(0))
    session.handle({ kind: 'send' }, Instant(0))
    notify(lastSent(), 1, Instant(40))
    expect(session.roundTrip).toBe(40)
    const renewal = after(Instant(40), Seconds(120))
    expect(session.nextTimeout()).toBe(renewal)
    session.handleTimeout(renewal)
    const again = lastSent()
    expect(again).toBeDefined()
    notify(again, 2, after(renewal, Milliseconds(1)))
    expect(session.roundTrip).toBe(40)
  })
})
