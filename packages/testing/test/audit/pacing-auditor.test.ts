import { Instant } from '@breakwater/core'
import { encodeMessage } from '@breakwater/coap'
import { heartbeatRequest, mitigatePath, parseCuid } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import { auditedMessage } from '../../src/audit/audited-datagram.ts'
import type { AuditedMessage } from '../../src/audit/audited-datagram.ts'
import { PacingAuditor } from '../../src/audit/pacing-auditor.ts'
import type { PacingAuditorOptions } from '../../src/audit/pacing-auditor.ts'

type About = Extract<AuditedMessage, { readonly kind: 'request' }>['about']

/** Writes a trace by hand: what the agents of one pair send, and what of it arrives. */
class Trace {
  readonly broken: string[] = []
  readonly #auditor: PacingAuditor
  #at = 0

  constructor(options: Partial<PacingAuditorOptions> = {}) {
    this.#auditor = new PacingAuditor({ ...options, report: ({ rule }) => this.broken.push(rule) })
  }

  after(milliseconds: number): this {
    this.#at += milliseconds
    return this
  }

  /** The client sends a request that is lost. */
  ask(token: string, about: About = 'mitigation', bytes = 60): this {
    return this.#take('sent', 'to-server', { kind: 'request', about, token, isNonConfirmable: true }, bytes)
  }

  /** A Confirmable question, as those of session configuration are. */
  askConfirmably(token: string): this {
    return this.#take('sent', 'to-server', {
      kind: 'request',
      about: 'question',
      token,
      isNonConfirmable: false
    })
  }

  /** The server has received a request. */
  received(token: string): this {
    const request = { kind: 'request', about: 'mitigation', token, isNonConfirmable: true } as const
    return this.#take('delivered', 'to-server', request)
  }

  /** The server answers or notifies, in vain. */
  tell(token: string, hasObserve = true): this {
    return this.#take('sent', 'to-client', { kind: 'answer', token, hasObserve })
  }

  /** An answer reaches the client. */
  answered(token: string): this {
    return this.#take('delivered', 'to-client', { kind: 'answer', token, hasObserve: false })
  }

  #take(
    when: 'sent' | 'delivered',
    direction: 'to-server' | 'to-client',
    message: AuditedMessage,
    bytes = 60
  ): this {
    const at = Instant(this.#at)
    this.#auditor.take({ at, when, direction, pair: 'site and server', session: '1', bytes, message })
    return this
  }
}

/** One round trip of 40 ms is known. */
const measured = (): Trace => new Trace().ask('a').after(40).answered('a')

/** A client observes and was just notified. */
const observed = (): Trace => new Trace().received('o').tell('o').after(10).tell('o')

/** A question of 60 bytes stays without an answer. */
const asked = (): Trace => new Trace().ask('a', 'question', 60)

function encode(code: number, options: ReturnType<typeof mitigatePath>): Uint8Array {
  const token = Uint8Array.of(1, 2)
  return encodeMessage({
    type: 'non-confirmable',
    code,
    messageId: 7,
    token,
    options,
    payload: new Uint8Array(0)
  })
}

describe('the pacing auditor', () => {
  it('takes a round trip from a Confirmable request, too, unless it was repeated', () => {
    const once = new Trace().askConfirmably('c').after(40).answered('c')
    expect(once.ask('a').after(40).ask('b').broken).toEqual([])
    const twice = new Trace().askConfirmably('c').after(2000).askConfirmably('c').after(40).answered('c')
    expect(twice.ask('a').after(40).ask('b').broken).toEqual(['request-pacing'])
  })

  it('takes one request in 3 seconds while nothing is answered', () => {
    const trace = new Trace()
    for (let count = 0; count < 10; count++) trace.ask('a').after(3000)
    expect(trace.broken).toEqual([])
  })

  it('catches a second request within 3 seconds, of whatever kind', () => {
    expect(new Trace().ask('a').after(2900).ask('a').broken).toEqual(['request-pacing'])
    expect(new Trace().ask('a').after(2900).ask('b', 'heartbeat').broken).toEqual(['request-pacing'])
  })

  it('forgives a process that was late as much as it is told to', () => {
    expect(new Trace({ lateness: 200 }).ask('a').after(2800).ask('a').broken).toEqual([])
    expect(new Trace({ lateness: 200 }).ask('a').after(2700).ask('a').broken).toEqual(['request-pacing'])
  })

  it('takes one request for each round trip that it saw itself, and catches a faster one', () => {
    expect(measured().ask('b').after(40).ask('c').broken).toEqual([])
    expect(measured().ask('b').after(20).ask('c').broken).toEqual(['request-pacing'])
  })

  it('catches a client that trusts a round trip of before the loss', () => {
    const trace = new Trace().ask('a').after(40).answered('a').ask('b').after(3000).ask('b')
    expect(trace.broken).toEqual([])
    expect(trace.after(1000).ask('b').broken).toEqual(['request-pacing'])
  })

  it('leaves a client the round trip that it measured at the very moment at which it repeats something', () => {
    const trace = new Trace().ask('a').after(3000).ask('b').after(40).answered('b').ask('a')
    expect(trace.after(40).ask('c').broken).toEqual([])
    expect(trace.after(40).ask('c').after(40).ask('d').broken).toEqual(['request-pacing'])
  })

  it('catches two notifications within 3 seconds, and lets answers pass', () => {
    expect(observed().broken).toEqual([])
    expect(observed().after(2900).received('b').tell('b').after(100).tell('o').broken).toEqual([])
    expect(observed().after(1000).tell('o').broken).toEqual(['notification-pacing'])
  })

  it('catches questions to a silent peer that exceed probing-rate', () => {
    expect(asked().after(24_000).ask('a', 'question', 60).after(12_000).ask('a', 'heartbeat').broken).toEqual(
      []
    )
    expect(asked().after(20_000).ask('a', 'question', 60).broken).toEqual(['probing-rate'])
    expect(asked().after(20_000).answered('x').ask('a', 'question', 60).broken).toEqual([])
    const quicker = new Trace({ probingRate: 20 }).ask('a', 'question').after(3000).ask('a', 'question')
    expect(quicker.broken).toEqual([])
  })

  it('catches a burst that makes up for a long time without questions', () => {
    const spread = asked().after(60_000).ask('a', 'question', 60).after(9000)
    expect(spread.ask('a', 'question', 60).broken).toEqual([])
    expect(spread.after(3000).ask('a', 'question', 60).broken).toEqual(['probing-rate'])
  })

  it('does not count what is sent at the very moment at which something comes: that may have come with more', () => {
    const atOnce = new Trace().answered('z').ask('a', 'question', 60)
    expect(atOnce.after(3000).ask('a', 'question', 60).broken).toEqual([])
    expect(atOnce.after(3000).ask('a', 'question', 60).broken).toEqual(['probing-rate'])
  })

  it('takes for heard behind a question what came together with what led to it, also where that takes a moment', () => {
    for (const [lateness, broken] of [
      [0, ['probing-rate']],
      [300, []]
    ] as const) {
      const trace = new Trace({ lateness }).answered('a').after(5)
      for (const token of ['b', 'c', 'd']) trace.ask(token, 'question', 36).after(3000)
      expect(trace.broken).toEqual(broken)
    }
  })

  it('does not count mitigation requests towards probing-rate', () => {
    const trace = new Trace()
    for (let count = 0; count < 100; count++) trace.ask('a', 'mitigation', 1000).after(3000)
    expect(trace.ask('b', 'question').broken).toEqual([])
  })

  it('catches a mitigation request that something else held back', () => {
    const trace = new Trace({ repetitionSlack: 500 }).ask('a').after(3000).ask('a').after(3000)
    expect(trace.ask('q', 'question').after(3000).ask('a').broken).toEqual(['held-back'])
  })

  it('lets a question take a turn after eight copies of a mitigation request, and no two', () => {
    const trace = new Trace({ repetitionSlack: 500 })
    for (let copy = 1; copy <= 8; copy++) trace.ask('a').after(3000)
    expect(trace.ask('q', 'question', 30).after(3000).ask('a').after(3000).broken).toEqual([])
    expect(trace.ask('q', 'heartbeat', 30).after(6000).ask('a').broken).toEqual(['held-back'])
  })

  it('lets several mitigation requests take turns', () => {
    const trace = new Trace({ repetitionSlack: 500 }).ask('a').after(3000).ask('b').after(3000).ask('a')
    expect(trace.broken).toEqual([])
  })
})

describe('a datagram, to the auditor', () => {
  const cuid = parseCuid('dz6pHjaADkaFTbjr0JGBpw')
  const path = cuid === undefined ? [] : mitigatePath(cuid)

  it('is a mitigation request, a question or a heartbeat', () => {
    const { options } = heartbeatRequest(true)
    expect(auditedMessage(encode(3, path))).toMatchObject({
      kind: 'request',
      about: 'mitigation',
      token: '0102'
    })
    expect(auditedMessage(encode(4, path))).toMatchObject({ about: 'mitigation' })
    expect(auditedMessage(encode(1, path))).toMatchObject({ about: 'question' })
    expect(auditedMessage(encode(3, [...options]))).toMatchObject({
      about: 'heartbeat',
      isNonConfirmable: true
    })
  })

  it('is nothing when it is no CoAP message', () => {
    expect(auditedMessage(Uint8Array.of(1, 2, 3))).toBeUndefined()
  })
})
