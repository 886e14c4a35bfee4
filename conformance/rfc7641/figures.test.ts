import { Code, emptyOption, Method, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapOption, OutgoingExchange } from '@breakwater/coap'
import { decodeUtf8, type Instant } from '@breakwater/core'
import type { SessionEnd } from '@breakwater/testing'
import { expect, test } from 'vitest'

import { type Cast, eachCast, end, request, response } from '../figure-ends.ts'

const etag: CoapOption = { number: OptionNumber.etag, value: Uint8Array.of(0x78, 0x79, 0x7a, 0x7a, 0x79) }
const observe = emptyOption(OptionNumber.observe)
const maxAge = uintOption(OptionNumber.maxAge, 15)
const registration = request(Method.get, 'temperature', [observe])

/** A thermometer that says what `state` is, fresh for 15 s; `tagged` states have the ETag of the figures. */
class Thermometer {
  state: string
  readonly end: SessionEnd
  #tagged: string | undefined

  constructor(state: string, tagged?: string) {
    this.state = state
    this.#tagged = tagged
    this.end = end({}, (asked) => {
      this.#knows = asked.options.some(({ number }) => number === OptionNumber.etag)
      return response(Code.content, this.state, [observe, ...this.#tag(), maxAge])
    })
  }

  #knows = false

  #tag(): CoapOption[] {
    return this.state === this.#tagged ? [etag] : []
  }

  /** The newest registration hears of a new state; 2.03 when the client said that it has it (RFC 7641 §4.2). */
  change(state: string, confirmable: boolean, now: Instant): void {
    this.state = state
    const exchange = this.end.requests.at(-1)?.exchange
    if (exchange === undefined) throw new Error('nobody observes')
    const isKnown = this.#knows && state === this.#tagged
    const notification = isKnown
      ? response(Code.valid, '', [etag, maxAge])
      : response(Code.content, state, [...this.#tag(), maxAge])
    this.end.feed({ kind: 'notify', exchange, response: notification, confirmable }, now)
  }
}

function expectSeen(client: SessionEnd, cast: Cast, states: readonly string[]): void {
  if (cast === 'server') return
  expect(client.responses.map(({ payload }) => decodeUtf8(payload))).toEqual(states)
}

eachCast('RFC 7641 §1.2', (play, cast) => {
  test('figure 2: observing a resource', () => {
    const client = end({})
    const server = new Thermometer('22.9 Cel')
    play(
      `
      {client observes}
      CON [0001] GET (4a) /temperature Observe=0  ------>
                                        <------  ACK [0001] 2.05 (4a) Observe=12* Max-Age=15 "22.9 Cel"
      {server changes}
                                        <------  NON [7001] 2.05 (4a) Observe=44* Max-Age=15 "22.8 Cel"
      {server changes again}
                                        <------  NON [7002] 2.05 (4a) Observe=60* Max-Age=15 "23.1 Cel"`,
      {
        client,
        server: server.end,
        acts: {
          'client observes': (now) => void client.ask(registration, true, now),
          'server changes': (now) => server.change('22.8 Cel', false, now),
          'server changes again': (now) => server.change('23.1 Cel', false, now)
        }
      }
    )
    expectSeen(client, cast, ['22.9 Cel', '22.8 Cel', '23.1 Cel'])
  })
})

eachCast('RFC 7641 §A.1', (play, cast) => {
  test('figures 3 and 4: the client registers again when Max-Age has ended', () => {
    const client = end({})
    const server = new Thermometer('18.5 Cel')
    let observation: OutgoingExchange | undefined
    const acts = {
      'client observes': (now: Instant): void => {
        observation = client.ask(registration, true, now)
      },
      'client renews': (now: Instant): void => {
        if (observation === undefined) throw new Error('no observation')
        client.feed({ kind: 'cancel', exchange: observation }, now)
        client.ask(registration, true, now)
      },
      'server 19.2': (now: Instant): void => server.change('19.2 Cel', false, now),
      'server 19.7': (now: Instant): void => server.change('19.7 Cel', false, now)
    }
    play(
      `
      {client observes}
      CON [1633] GET (4a) /temperature Observe=0  ------>
                                        <------  ACK [1633] 2.05 (4a) Observe=9* Max-Age=15 "18.5 Cel"
      … 7 s
      {server 19.2}
                                        <------  NON [7b50] 2.05 (4a) Observe=16* Max-Age=15 "19.2 Cel"
      … 9 s
      {server 19.7}
                                        X------  NON [7b51] 2.05 (4a) Observe=25* Max-Age=15 "19.7 Cel"
      … 13 s
      {client renews}
      CON [1634] GET (b2) /temperature Observe=0  ------>
                                        <------  ACK [1634] 2.05 (b2) Observe=44* Max-Age=15 "19.7 Cel"`,
      { client, server: server.end, acts }
    )
    expectSeen(client, cast, ['18.5 Cel', '19.2 Cel', '19.7 Cel'])
  })

  test('figure 5: after a crash the client names what it has, and the server may choose it', () => {
    const client = end({})
    const server = new Thermometer('20.0 Cel', '19.7 Cel')
    const known = request(Method.get, 'temperature', [observe, etag])
    const acts = {
      'client observes': (now: Instant) => void client.ask(known, true, now),
      'server 19.7': (now: Instant): void => server.change('19.7 Cel', false, now)
    }
    play(
      `
      {client observes}
      CON [1635] GET (f9) /temperature Observe=0 ETag=78797a7a79  ------>
                                        <------  ACK [1635] 2.05 (f9) Observe=74* Max-Age=15 "20.0 Cel"
      … 7 s
      {server 19.7}
                                        <------  NON [aa0c] 2.03 (f9) Observe=81* ETag=78797a7a79 Max-Age=15`,
      { client, server: server.end, acts, besides: [] }
    )
    if (cast !== 'server')
      expect(client.responses.map(({ code }) => code)).toEqual([Code.content, Code.valid])
  })

  test('figure 6: a rejected notification ends the observation', () => {
    const client = end({})
    const server = new Thermometer('19.7 Cel')
    let observation: OutgoingExchange | undefined
    const acts = {
      'client observes': (now: Instant): void => {
        observation = client.ask(registration, true, now)
      },
      'client forgets': (now: Instant): void => {
        if (observation !== undefined) client.feed({ kind: 'cancel', exchange: observation }, now)
      },
      'server 19.3': (now: Instant): void => server.change('19.3 Cel', true, now),
      'server 19.0': (now: Instant): void => server.change('19.0 Cel', true, now)
    }
    play(
      `
      {client observes}
      CON [1633] GET (f9) /temperature Observe=0  ------>
                                        <------  ACK [1633] 2.05 (f9) Observe=87* Max-Age=15 "19.7 Cel"
      {client forgets}
      {server 19.3}
                                        <------  CON [aa0f] 2.05 (f9) Observe=91* Max-Age=15 "19.3 Cel"
      RST [aa0f]                        ------>
      {server 19.0}
      … 100 s`,
      { client, server: server.end, acts }
    )
    if (cast !== 'client') expect(server.end.ends).toEqual(['observer-gone'])
  })
})
