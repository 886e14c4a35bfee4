import {
  Code,
  CoapStreamSession,
  OptionNumber,
  defaultParameters,
  formatMethod,
  readUint,
  readUriPath,
  uintOption
} from '@breakwater/coap'
import type { CoapStreamInput, CoapStreamOutput, IncomingExchange } from '@breakwater/coap'
import { Instant, Seconds, after } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { observeRequest, putRequest } from '../../src/client/session/errand.ts'
import { Pacing } from '../../src/client/session/pacing.ts'
import { SignalSession } from '../../src/client/session/session.ts'
import type { SignalSessionOutput } from '../../src/client/session/session-io.ts'
import { mitigationId, parseCuid } from '../../src/domain/identifier.ts'
import { targetOf } from './two-providers.ts'

const CUID = parseCuid('dz6pHjaADkaFTbjr0JGBpw')!
const MID = mitigationId(1)!
const NOTHING = new Uint8Array(0)

/** A client's session over TCP, and a server at the other end that does what the test says. */
class Link {
  now: Instant = Instant(1000)
  readonly outputs: SignalSessionOutput[] = []
  readonly heard: Exclude<CoapStreamOutput, { kind: 'send' }>[] = []
  readonly session: SignalSession
  readonly #server: CoapStreamSession

  constructor() {
    const entropy = seededEntropy(1)
    this.session = new SignalSession({ entropy, transport: 'tcp', pacing: new Pacing() }, this.now)
    this.#server = new CoapStreamSession({ parameters: defaultParameters, entropy, openedAt: this.now })
    this.carry()
  }

  ask(kind: 'put' | 'observe', mitigation = MID): void {
    const request =
      kind === 'put'
        ? putRequest(CUID, mitigation, targetOf('192.0.2.1/32'), 3600)
        : observeRequest(CUID, mitigation)
    this.session.handle({ kind: 'ask', errand: { kind, mitigationId: mitigation }, request }, this.now)
    this.session.handle({ kind: 'send' }, this.now)
    this.carry()
  }

  serve(input: CoapStreamInput): void {
    this.#server.handle(input, this.now)
    this.carry()
  }

  answer(
    code: number,
    exchange = this.requests.at(-1)!.exchange,
    options = [uintOption(OptionNumber.observe, 0)]
  ): void {
    this.serve({ kind: 'respond', exchange, response: { code, options, payload: NOTHING } })
  }

  get requests(): {
    readonly exchange: IncomingExchange
    readonly text: string
    readonly observe: number | undefined
  }[] {
    return this.heard.flatMap((output) =>
      output.kind === 'request'
        ? [
            {
              exchange: output.exchange,
              text: `${formatMethod(output.request.method)} ${readUriPath(output.request.options)[2]}`,
              observe: readUint(output.request.options, OptionNumber.observe)
            }
          ]
        : []
    )
  }

  advance(duration: Duration): void {
    const end = after(this.now, duration)
    for (
      let due = this.session.nextTimeout();
      due !== undefined && due <= end;
      due = this.session.nextTimeout()
    ) {
      if (due > this.now) this.now = due
      this.session.handleTimeout(this.now)
      this.carry()
    }
    this.now = end
  }

  /** Until nobody has anything more to say. */
  carry(): void {
    for (let isMoving = true; isMoving;) {
      isMoving = false
      for (let output = this.session.poll(); output !== undefined; output = this.session.poll()) {
        isMoving = true
        if (output.kind === 'send') this.#server.handle({ kind: 'datagram', bytes: output.bytes }, this.now)
        else this.outputs.push(output)
      }
      for (let output = this.#server.poll(); output !== undefined; output = this.#server.poll()) {
        isMoving = true
        if (output.kind === 'send') this.session.handle({ kind: 'datagram', bytes: output.bytes }, this.now)
        else this.heard.push(output)
      }
    }
  }

  get ends(): SignalSessionOutput[] {
    return this.outputs.filter(({ kind }) => kind === 'ended')
  }
}

describe("a client's session over TCP", () => {
  it('says each request once, and asks again only after minutes without an answer', () => {
    const link = new Link()
    link.ask('put')
    const puts = (): number => link.requests.filter(({ text }) => text === 'PUT mitigate').length
    link.advance(Seconds(200))
    expect(puts()).toBe(1)
    link.advance(Seconds(60))
    expect(puts()).toBe(2)
  })

  it('deregisters an observation by a GET (RFC 8323 §7.4)', () => {
    const link = new Link()
    link.ask('observe')
    link.answer(Code.content)
    link.session.handle({ kind: 'forget', errand: { kind: 'observe', mitigationId: MID } }, link.now)
    link.carry()
    expect(link.requests.map(({ text, observe }) => `${text} ${observe}`)).toEqual([
      'GET mitigate 0',
      'GET mitigate 1'
    ])
    expect(link.heard.some(({ kind }) => kind === 'observer-gone')).toBe(true)
  })

  it('takes notifications in the order of the stream, whatever their numbers say (RFC 8323 §7.1)', () => {
    const link = new Link()
    link.ask('observe')
    const { exchange } = link.requests[0]!
    link.answer(Code.content)
    for (const number of [9, 3, 3]) {
      const options = [uintOption(OptionNumber.observe, number)]
      const response = { code: Code.content, options, payload: NOTHING }
      link.serve({ kind: 'notify', exchange, response, confirmable: false })
    }
    expect(link.outputs.filter(({ kind }) => kind === 'answer')).toHaveLength(4)
  })

  it('finishes what is open when the server releases the connection, and then wants it closed (RFC 8323 §5.5)', () => {
    const link = new Link()
    link.ask('put')
    link.serve({ kind: 'release', release: { holdOffSeconds: 20 } })
    expect(link.ends).toEqual([])
    link.answer(Code.created, link.requests[0]!.exchange, [])
    expect(link.outputs.map(({ kind }) => kind)).toEqual(['answered', 'answer', 'ended'])
    expect(link.ends).toEqual([{ kind: 'ended', reason: 'released', holdOffSeconds: 20 }])
  })

  it('is lost when the server aborts it (RFC 8323 §5.6)', () => {
    const link = new Link()
    link.ask('put')
    link.serve({ kind: 'abort', diagnostic: 'no more' })
    expect(link.ends).toEqual([
      { kind: 'ended', reason: 'aborted-by-peer: no more', holdOffSeconds: undefined }
    ])
  })

  it('answers a Ping by a Pong (RFC 8323 §5.4)', () => {
    const link = new Link()
    link.serve({ kind: 'ping', exchange: 7 as never })
    expect(link.heard.map(({ kind }) => kind)).toEqual(['pong'])
  })

  it('tells the server why when it does not speak CoAP, and is over', () => {
    const link = new Link()
    link.session.handle(
      { kind: 'datagram', bytes: Uint8Array.of(0xf0, 0xff, 0xff, 0xff, 0xff, 0x01) },
      link.now
    )
    link.carry()
    expect(link.outputs.map(({ kind }) => kind)).toEqual(['malformed', 'ended'])
    expect(link.heard).toMatchObject([{ kind: 'close', reason: 'aborted-by-peer' }])
  })

  it('counts the answer to a heartbeat that comes late', () => {
    const link = new Link()
    const heartbeats = (): string[] =>
      link.outputs.map(({ kind }) => kind).filter((kind) => kind.startsWith('heartbeats'))
    link.advance(Seconds(100))
    expect(heartbeats()).toEqual(['heartbeats-lost'])
    const first = link.requests.find(({ text }) => text === 'PUT hb')!
    link.answer(Code.changed, first.exchange, [])
    expect(heartbeats()).toEqual(['heartbeats-lost', 'heartbeats-back'])
  })
})
