import { Method, decodeMessage } from '@breakwater/coap'
import { Instant, Milliseconds, Seconds, after } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { expect, it } from 'vitest'
import { configQuestion, deleteRequest } from '../../../src/client/session/errand.ts'
import { Pacing } from '../../../src/client/session/pacing.ts'
import { SignalSession } from '../../../src/client/session/session.ts'
import { mitigationId, parseCuid } from '../../../src/domain/identifier.ts'

const cuid = parseCuid('dz6pHjaADkaFTbjr0JGBpw')!
const mid = mitigationId(7)!

it('are kept by mitigation requests, whatever Confirmable CoAP repeats meanwhile (RFC 9132 §4.4)', () => {
  const session = new SignalSession(
    { entropy: seededEntropy(5), transport: 'udp', pacing: new Pacing() },
    Instant(0)
  )
  const sentAt = { questions: [] as number[], withdrawals: [] as number[] }
  let now = Instant(0)
  const drain = (): void => {
    for (let output = session.poll(); output !== undefined; output = session.poll())
      if (output.kind === 'send') {
        const isWithdrawal = decodeMessage(output.bytes).code === Method.delete
        ;(isWithdrawal ? sentAt.withdrawals : sentAt.questions).push(now)
      }
  }
  session.handle({ kind: 'ask', errand: { kind: 'config' }, request: configQuestion(undefined) }, now)
  session.handle({ kind: 'send' }, now)
  drain()
  now = Instant(500)
  const errand = { kind: 'delete', mitigationId: mid } as const
  session.handle({ kind: 'ask', errand, request: deleteRequest(cuid, mid) }, now)
  const end = after(now, Seconds(30))
  for (let due = session.nextTimeout(); due !== undefined && due <= end; due = session.nextTimeout()) {
    now = due > now ? due : after(now, Milliseconds(1))
    session.handleTimeout(now)
    session.handle({ kind: 'send' }, now)
    drain()
  }
  expect(sentAt.questions.length).toBeGreaterThanOrEqual(4)
  expect(sentAt.withdrawals.map((at) => at - sentAt.withdrawals[0]!)).toEqual(
    sentAt.withdrawals.map((_, index) => 3000 * index)
  )
  expect(sentAt.withdrawals).toHaveLength(10)
})
