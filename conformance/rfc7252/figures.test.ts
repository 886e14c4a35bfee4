import { Code, Method } from '@breakwater/coap'
import { decodeUtf8, type Instant } from '@breakwater/core'
import { playFigure, type SessionEnd } from '@breakwater/testing'
import { describe, expect, test } from 'vitest'

import { eachCast, end, request, response } from '../figure-ends.ts'

/** A client, and a server that says 22.3 C, at once or when told to. */
class Scene {
  readonly client: SessionEnd = end({})
  readonly server: SessionEnd
  readonly acts: Readonly<Record<string, (now: Instant) => void>>

  constructor(answers: 'at once' | 'late' = 'at once', code: number = Code.content, text = '22.3 C') {
    const answer = response(code, text)
    this.server = end({}, () => (answers === 'at once' ? answer : undefined))
    this.acts = {
      'client asks': (now) => void this.client.ask(request(Method.get, 'temperature'), true, now),
      'client asks NON': (now) => void this.client.ask(request(Method.get, 'temperature'), false, now),
      'server answers': (now) => {
        const exchange = this.server.requests[0]?.exchange
        if (exchange !== undefined) this.server.feed({ kind: 'respond', exchange, response: answer }, now)
      }
    }
  }
}

eachCast('RFC 7252 §2.2 and §A', (play, cast) => {
  const expectHeard = ({ client }: Scene): void => {
    if (cast === 'server') return
    expect(client.responses.map(({ payload }) => decodeUtf8(payload))).toEqual(['22.3 C'])
  }

  test('figures 4, 16 and 17: a request and its piggybacked response', () => {
    const scene = new Scene()
    play(
      `
      {client asks}
      CON [bc90] GET (71) /temperature    ------>
                                          <------   ACK [bc90] 2.05 (71) "22.3 C"
      … 300 s`,
      scene
    )
    expectHeard(scene)
  })

  test('figure 4: not found', () => {
    play(
      `
      {client asks}
      CON [bc91] GET (72) /temperature    ------>
                                          <------   ACK [bc91] 4.04 (72) "Not found"`,
      new Scene('at once', Code.notFound, 'Not found')
    )
  })

  test('figure 18: a lost request is sent again', () => {
    const scene = new Scene()
    play(
      `
      {client asks}
      CON [7d36] GET (31) /temperature    ----X
      … 3 s
      CON [7d36] GET (31) /temperature    ------>
                                          <------   ACK [7d36] 2.05 (31) "22.3 C"`,
      scene
    )
    expectHeard(scene)
  })

  test('figure 19: a lost acknowledgement is sent again, for the copy of the request', () => {
    const scene = new Scene()
    play(
      `
      {client asks}
      CON [7d37] GET (42) /temperature    ------>
                                          X----     ACK [7d37] 2.05 (42) "22.3 C"
      … 3 s
      CON [7d37] GET (42) /temperature    ------>
                                          <------   ACK [7d37] 2.05 (42) "22.3 C"`,
      scene
    )
    expectHeard(scene)
    if (cast !== 'client') expect(scene.server.requests).toHaveLength(1)
  })

  test('figures 5 and 20: a separate response', () => {
    const scene = new Scene('late')
    play(
      `
      {client asks}
      CON [7d38] GET (53) /temperature    ------>
      … 1 s
                                          <------   ACK [7d38]
      … 20 s
      {server answers}
                                          <------   CON [ad7b] 2.05 (53) "22.3 C"
      ACK [ad7b]                          ------>
      … 300 s`,
      scene
    )
    expectHeard(scene)
  })

  test('figures 6 and 22: Non-confirmable both ways', () => {
    const scene = new Scene()
    play(
      `
      {client asks NON}
      NON [7d40] GET (75) /temperature    ------>
                                          <------   NON [ad7d] 2.05 (75) "22.3 C"
      … 300 s`,
      scene
    )
    expectHeard(scene)
  })
})

describe('RFC 7252 §A, figure 21: a client that has lost its state', () => {
  test('ignores the acknowledgement and resets the response', () => {
    playFigure(
      `
                                          <------   ACK [7d39]
                                          <------   CON [ad7c] 2.05 (64) "22.3 C"
      RST [ad7c]                          ------>`,
      { client: new Scene('late').client }
    )
  })

  test('is sent nothing more', () => {
    const { server, acts } = new Scene('late')
    playFigure(
      `
      CON [7d39] GET (64) /temperature    ------>
      … 1 s
                                          <------   ACK [7d39]
      {server answers}
                                          <------   CON [ad7c] 2.05 (64) "22.3 C"
      RST [ad7c]                          ------>
      … 300 s`,
      { server, acts }
    )
  })
})
