import { Code, OptionNumber, decodeMessage, encodeMessage, uintOption } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import { Instant, Milliseconds, Seconds, after } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import { PacingAuditor, auditedMessage, seededEntropy } from '@breakwater/testing'
import { expect, it } from 'vitest'
import { observeRequest } from '../../../src/client/session/errand.ts'
import { Pacing } from '../../../src/client/session/pacing.ts'
import { SignalSession } from '../../../src/client/session/session.ts'
import { mitigationId, parseCuid } from '../../../src/domain/identifier.ts'

const cuid = parseCuid('dz6pHjaADkaFTbjr0JGBpw')!

/** A session whose server answers in several blocks, by hand, and an auditor that sees all of it. */
class Bench {
  now = Instant(0)
  readonly session: SignalSession
  readonly sent: CoapMessage[] = []
  readonly broken: string[] = []
  #messageId = 7000
  readonly #auditor = new PacingAuditor({ report: ({ text }) => this.broken.push(text) })

  constructor() {
    const entropy = seededEntropy(3)
    this.session = new SignalSession({ entropy, transport: 'udp', pacing: new Pacing() }, this.now)
  }

  say(input: Parameters<SignalSession['handle']>[0]): void {
    this.session.handle(input, this.now)
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll())
      if (output.kind === 'send') {
        this.sent.push(decodeMessage(output.bytes))
        this.#audit('sent', output.bytes)
      }
  }

  /** Tells an observer: all of it, or the first of several blocks. */
  notify({ token }: CoapMessage, sequence: number, isInBlocks: boolean): void {
    const block2 = isInBlocks ? [uintOption(OptionNumber.block2, 0x0e)] : []
    const options = [uintOption(OptionNumber.observe, sequence), ...block2]
    const payload = new Uint8Array(isInBlocks ? 1024 : 0)
    const messageId = this.#messageId++
    const type = 'non-confirmable'
    const bytes = encodeMessage({ type, code: Code.content, messageId, token, options, payload })
    this.#audit('delivered', bytes)
    this.say({ kind: 'datagram', bytes })
  }

  pass(duration: Duration): void {
    const end = after(this.now, duration)
    for (let due = this.session.nextTimeout(); due !== undefined && due <= end;) {
      if (due > this.now) this.now = due
      this.session.handleTimeout(this.now)
      this.say({ kind: 'send' })
      due = this.session.nextTimeout()
    }
    this.now = end
  }

  #audit(when: 'sent' | 'delivered', bytes: Uint8Array): void {
    const direction = when === 'sent' ? 'to-server' : 'to-client'
    const message = auditedMessage(bytes)
    this.#auditor.take({ at: this.now, when, direction, pair: '', session: '', bytes: bytes.length, message })
  }
}

it('are questions like any other: a server that falls silent is not asked for them beyond probing-rate', () => {
  const bench = new Bench()
  for (let mid = 1; mid <= 4; mid++) {
    const id = mitigationId(mid)!
    bench.say({
      kind: 'ask',
      errand: { kind: 'observe', mitigationId: id },
      request: observeRequest(cuid, id)
    })
    bench.say({ kind: 'send' })
    bench.pass(Milliseconds(100))
    bench.notify(bench.sent.at(-1)!, 1, false)
  }
  const observations = bench.sent.slice()
  for (const observation of observations) bench.notify(observation, 2, true)
  bench.pass(Seconds(29))
  const further = bench.sent.filter(({ options }) =>
    options.some(({ number }) => number === OptionNumber.block2)
  )
  expect([observations.length, further.length]).toEqual([4, 1])
  bench.pass(Seconds(60))
  expect(bench.broken).toEqual([])
})
