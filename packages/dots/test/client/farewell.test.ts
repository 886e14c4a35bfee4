import {
  Code,
  Method,
  OptionNumber,
  decodeMessage,
  encodeMessage,
  readUint,
  uintOption
} from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import { Instant, Milliseconds, Seconds, after, parseIpPrefix } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { listRequest, observeRequest, putRequest } from '../../src/client/session/errand.ts'
import { Pacing } from '../../src/client/session/pacing.ts'
import { SignalSession } from '../../src/client/session/session.ts'
import { mitigationId, parseCuid } from '../../src/domain/identifier.ts'
import { DEFAULT_SESSION_PARAMETERS } from '../../src/signal/defaults.ts'

const cuid = parseCuid('dz6pHjaADkaFTbjr0JGBpw')!
const request = listRequest(cuid)

/** A session over UDP that observes all mitigations, by hand. */
class Bench {
  now = Instant(0)
  readonly session: SignalSession
  readonly sent: CoapMessage[] = []

  constructor(probingRateBytesPerSecond = 3) {
    const parameters = { ...DEFAULT_SESSION_PARAMETERS, probingRateBytesPerSecond }
    this.session = new SignalSession(
      { entropy: seededEntropy(3), transport: 'udp', pacing: new Pacing(), parameters },
      this.now
    )
    this.session.handle({ kind: 'ask', errand: { kind: 'list' }, request }, this.now)
    this.say({ kind: 'send' })
    this.notify(1)
  }

  say(input: Parameters<SignalSession['handle']>[0]): void {
    this.session.handle(input, this.now)
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll())
      if (output.kind === 'send') this.sent.push(decodeMessage(output.bytes))
  }

  notify(sequence: number): void {
    const { token } = this.sent[0]!
    const options = [uintOption(OptionNumber.observe, sequence)]
    const payload = new Uint8Array(0)
    const messageId = 7000 + sequence
    const bytes = encodeMessage({
      type: 'non-confirmable',
      code: Code.content,
      messageId,
      token,
      options,
      payload
    })
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

  get farewells(): number {
    return this.sent.filter(({ options }) => readUint(options, OptionNumber.observe) === 1).length
  }
}

describe('the end of an observation', () => {
  it('is told to a server that answers, a moment later', () => {
    const bench = new Bench()
    bench.say({ kind: 'forget', errand: { kind: 'list' } })
    bench.pass(Seconds(3))
    expect(bench.farewells).toBe(1)
  })

  it('waits for probing-rate while the server is silent (RFC 9132 §4.4)', () => {
    const bench = new Bench()
    bench.pass(Seconds(65))
    bench.say({ kind: 'forget', errand: { kind: 'list' } })
    bench.say({ kind: 'send' })
    bench.pass(Seconds(10))
    expect(bench.farewells).toBe(0)
    bench.notify(2)
    bench.pass(Seconds(7))
    expect(bench.farewells).toBe(1)
  })

  it('is not told where the observation is asked for again before that', () => {
    const bench = new Bench()
    bench.say({ kind: 'forget', errand: { kind: 'list' } })
    bench.say({ kind: 'ask', errand: { kind: 'list' }, request })
    bench.pass(Seconds(10))
    expect(bench.farewells).toBe(0)
    expect(bench.sent.filter(({ code }) => code === 1).length).toBeGreaterThanOrEqual(2)
  })

  it('tells nothing of the round trip where the observation was without an answer: 3 seconds to what is next', () => {
    const bench = new Bench(20)
    const id = mitigationId(7)!
    const observe = { kind: 'observe', mitigationId: id } as const
    bench.say({ kind: 'ask', errand: observe, request: observeRequest(cuid, id) })
    bench.pass(Milliseconds(50))
    bench.say({ kind: 'forget', errand: observe })
    bench.pass(Milliseconds(50))
    expect(bench.farewells).toBe(1)
    const put = { kind: 'put', mitigationId: id } as const
    const target = { prefixes: [parseIpPrefix('203.0.113.7/32')!], ports: [], protocols: [] }
    bench.say({ kind: 'ask', errand: put, request: putRequest(cuid, id, target, Seconds(60)) })
    const puts = (): number => bench.sent.filter(({ code }) => code === Method.put).length
    const before = puts()
    bench.pass(Seconds(2))
    expect(puts()).toBe(before)
    bench.pass(Seconds(1))
    expect(puts()).toBe(before + 1)
  })
})
