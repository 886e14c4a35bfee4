import { Code, emptyOption, Method, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapOption, CoapRequest } from '@breakwater/coap'
import type { Instant } from '@breakwater/core'
import type { SessionEnd } from '@breakwater/testing'
import { expect, test } from 'vitest'

import { blockwise, bodyOf, eachCast, end, request, response } from '../figure-ends.ts'

const block1Of = (asked: CoapRequest): number =>
  asked.options.find(({ number }) => number === 27)?.value[0] ?? 0
const nothing = new Uint8Array(0)

const ends = (clientSize: number, bytes: number) => {
  const client = end(blockwise(clientSize))
  const server = end(blockwise(128), () => response(Code.content, bytes))
  return { client, server }
}

const get = (parts: ReturnType<typeof ends>, options: CoapOption[] = []) => ({
  ...parts,
  acts: {
    'client asks': (now: Instant) => void parts.client.ask(request(Method.get, 'status', options), true, now)
  }
})

const lateNegotiation = `
    CON [1236] GET /status 2:3/0/64    ------>
                                       <------   ACK [1236] 2.05 2:3/1/64 <64>
    CON [1237] GET /status 2:4/0/64    ------>
                                       <------   ACK [1237] 2.05 2:4/1/64 <64>
    CON [1238] GET /status 2:5/0/64    ------>
                                       <------   ACK [1238] 2.05 2:5/0/64 <60>`

const upload = (client: SessionEnd, method: number, path: string, bytes: number, now: Instant) =>
  void client.ask({ ...request(method, path), payload: bodyOf(bytes) }, true, now)

const soap = (options: CoapOption[] = [], answerBytes = 500) => {
  const client = end(blockwise(128))
  const server = end(blockwise(128), () => response(Code.changed, answerBytes))
  const body = { ...request(Method.post, 'soap', options), payload: bodyOf(300) }
  return { client, server, acts: { 'client posts': (now: Instant) => void client.ask(body, true, now) } }
}

const icon = (first: number, options: CoapOption[] = []) => {
  const client = end(blockwise(128))
  const observing = [emptyOption(OptionNumber.observe)]
  const server = end(blockwise(128), () => response(Code.content, first, observing))
  const asked = request(Method.get, 'status-icon', [...observing, ...options])
  const acts = {
    'client observes': (now: Instant): void => void client.ask(asked, true, now),
    'server changes': (now: Instant): void => {
      const exchange = server.requests[0]?.exchange
      if (exchange === undefined) throw new Error('nobody observes')
      server.feed({ kind: 'notify', exchange, response: response(Code.content, 309), confirmable: true }, now)
    }
  }
  return { client, server, acts }
}

const bodies = (parts: ReturnType<typeof icon>): number[] =>
  parts.client.responses.map(({ payload }) => payload.length)

eachCast('RFC 7959 §3.1: Block2', (play, cast) => {
  test('figure 2: simple block-wise GET', () => {
    const parts = ends(128, 356)
    play(
      `
      {client asks}
      CON [1234] GET /status             ------>
                                         <------   ACK [1234] 2.05 2:0/1/128 <128>
      CON [1235] GET /status 2:1/0/128   ------>
                                         <------   ACK [1235] 2.05 2:1/1/128 <128>
      CON [1236] GET /status 2:2/0/128   ------>
                                         <------   ACK [1236] 2.05 2:2/0/128 <100>`,
      get(parts)
    )
    if (cast !== 'server') expect(parts.client.responses.map(({ payload }) => payload.length)).toEqual([356])
    if (cast === 'both') expect(parts.client.responses[0]?.payload).toEqual(bodyOf(356))
  })

  test('figure 3: early negotiation', () => {
    const parts = ends(1024, 380)
    play(
      `
      {client asks}
      CON [1234] GET /status 2:0/0/64    ------>
                                         <------   ACK [1234] 2.05 2:0/1/64 <64>
      CON [1235] GET /status 2:1/0/64    ------>
                                         <------   ACK [1235] 2.05 2:1/1/64 <64>
      CON [1236] GET /status 2:2/0/64    ------>
                                         <------   ACK [1236] 2.05 2:2/1/64 <64>
      CON [1237] GET /status 2:3/0/64    ------>
                                         <------   ACK [1237] 2.05 2:3/1/64 <64>
      CON [1238] GET /status 2:4/0/64    ------>
                                         <------   ACK [1238] 2.05 2:4/1/64 <64>
      CON [1239] GET /status 2:5/0/64    ------>
                                         <------   ACK [1239] 2.05 2:5/0/64 <60>`,
      get(parts, [uintOption(OptionNumber.block2, 2)])
    )
    if (cast !== 'server') expect(parts.client.responses[0]?.payload.length).toBe(380)
  })

  test('figure 4: late negotiation', () => {
    const parts = ends(64, 380)
    play(
      `
      {client asks}
      CON [1234] GET /status             ------>
                                         <------   ACK [1234] 2.05 2:0/1/128 <128>
      CON [1235] GET /status 2:2/0/64    ------>
                                         <------   ACK [1235] 2.05 2:2/1/64 <64>
      ${lateNegotiation}`,
      get(parts)
    )
    if (cast !== 'server') expect(parts.client.responses[0]?.payload.length).toBe(380)
  })

  test('figure 5: a lost request', () => {
    const parts = ends(64, 380)
    play(
      `
      {client asks}
      CON [1234] GET /status             ------>
                                         <------   ACK [1234] 2.05 2:0/1/128 <128>
      CON [1235] GET /status 2:2/0/64    -----X
      … 3 s
      CON [1235] GET /status 2:2/0/64    ------>
                                         <------   ACK [1235] 2.05 2:2/1/64 <64>
      ${lateNegotiation}`,
      get(parts)
    )
    if (cast !== 'server') expect(parts.client.responses[0]?.payload.length).toBe(380)
  })

  test('figure 6: a lost acknowledgement', () => {
    const parts = ends(64, 380)
    play(
      `
      {client asks}
      CON [1234] GET /status             ------>
                                         <------   ACK [1234] 2.05 2:0/1/128 <128>
      CON [1235] GET /status 2:2/0/64    ------>
                                         X------   ACK [1235] 2.05 2:2/1/64 <64>
      … 3 s
      CON [1235] GET /status 2:2/0/64    ------>
                                         <------   ACK [1235] 2.05 2:2/1/64 <64>
      ${lateNegotiation}`,
      get(parts)
    )
    if (cast !== 'server') expect(parts.client.responses[0]?.payload.length).toBe(380)
    if (cast !== 'client') expect(parts.server.requests).toHaveLength(1)
  })
})

eachCast('RFC 7959 §3.2: Block1', (play, cast) => {
  test('figure 7: simple atomic block-wise PUT', () => {
    const client = end(blockwise(128))
    const server = end(blockwise(128), () => response(Code.changed, ''))
    play(
      `
      {client puts}
      CON [1234] PUT /options 1:0/1/128 <128>   ------>
                                                <------   ACK [1234] 2.31 1:0/1/128
      CON [1235] PUT /options 1:1/1/128 <128>   ------>
                                                <------   ACK [1235] 2.31 1:1/1/128
      CON [1236] PUT /options 1:2/0/128 <44>    ------>
                                                <------   ACK [1236] 2.04 1:2/0/128`,
      { client, server, acts: { 'client puts': (now) => upload(client, Method.put, 'options', 300, now) } }
    )
    if (cast === 'both') expect(server.requests.map((one) => one.request.payload)).toEqual([bodyOf(300)])
  })

  test('figure 8: simple stateless block-wise PUT', () => {
    const client = end(blockwise(128))
    // An application that looks after the blocks itself: each changes the resource in place.
    const stateless = new Set([OptionNumber.uriPath, OptionNumber.block1, OptionNumber.size1])
    const server = end({ understoodOptions: stateless }, (asked) => ({
      code: Code.changed,
      options: [uintOption(OptionNumber.block1, block1Of(asked) & ~8)],
      payload: nothing
    }))
    play(
      `
      {client puts}
      CON [1234] PUT /options 1:0/1/128 <128>   ------>
                                                <------   ACK [1234] 2.04 1:0/0/128
      CON [1235] PUT /options 1:1/1/128 <128>   ------>
                                                <------   ACK [1235] 2.04 1:1/0/128
      CON [1236] PUT /options 1:2/0/128 <44>    ------>
                                                <------   ACK [1236] 2.04 1:2/0/128`,
      { client, server, acts: { 'client puts': (now) => upload(client, Method.put, 'options', 300, now) } }
    )
    if (cast !== 'server') expect(client.responses.map(({ code }) => code)).toEqual([Code.changed])
    if (cast !== 'client') expect(server.requests).toHaveLength(3)
  })

  // The Message IDs of the figure's last two answers are misprints: an Acknowledgement repeats that of its request.
  test('figure 9: atomic block-wise PUT with negotiation', () => {
    const client = end(blockwise(128))
    const server = end(blockwise(32), () => response(Code.changed, ''))
    play(
      `
      {client puts}
      CON [1234] PUT /options 1:0/1/128 <128>   ------>
                                                <------   ACK [1234] 2.31 1:0/1/32
      CON [1235] PUT /options 1:4/1/32 <32>     ------>
                                                <------   ACK [1235] 2.31 1:4/1/32
      CON [1236] PUT /options 1:5/1/32 <32>     ------>
                                                <------   ACK [1236] 2.31 1:5/1/32
      CON [1237] PUT /options 1:6/0/32 <28>     ------>
                                                <------   ACK [1237] 2.04 1:6/0/32`,
      { client, server, acts: { 'client puts': (now) => upload(client, Method.put, 'options', 220, now) } }
    )
    if (cast === 'both') expect(server.requests[0]?.request.payload).toEqual(bodyOf(220))
  })
})

eachCast('RFC 7959 §3.3: Block1 and Block2 together', (play, cast) => {
  test('figure 10: atomic block-wise POST with block-wise response', () => {
    const parts = soap()
    play(
      `
      {client posts}
      CON [1234] POST /soap 1:0/1/128 <128>     ------>
                                                <------   ACK [1234] 2.31 1:0/1/128
      CON [1235] POST /soap 1:1/1/128 <128>     ------>
                                                <------   ACK [1235] 2.31 1:1/1/128
      CON [1236] POST /soap 1:2/0/128 <44>      ------>
                                                <------   ACK [1236] 2.04 2:0/1/128 1:2/0/128 <128>
      CON [1237] POST /soap 2:1/0/128           ------>
                                                <------   ACK [1237] 2.04 2:1/1/128 <128>
      CON [1238] POST /soap 2:2/0/128           ------>
                                                <------   ACK [1238] 2.04 2:2/1/128 <128>
      CON [1239] POST /soap 2:3/0/128           ------>
                                                <------   ACK [1239] 2.04 2:3/0/128 <116>`,
      parts
    )
    if (cast !== 'server') expect(parts.client.responses[0]?.payload.length).toBe(500)
  })

  test('figure 11: the same with early negotiation', () => {
    const parts = soap([uintOption(OptionNumber.block2, 2)], 240)
    play(
      `
      {client posts}
      CON [1234] POST /soap 1:0/1/128 <128>         ------>
                                                    <------   ACK [1234] 2.31 1:0/1/128
      CON [1235] POST /soap 1:1/1/128 <128>         ------>
                                                    <------   ACK [1235] 2.31 1:1/1/128
      CON [1236] POST /soap 1:2/0/128 2:0/0/64 <44> ------>
                                                    <------   ACK [1236] 2.04 1:2/0/128 2:0/1/64 <64>
      CON [1237] POST /soap 2:1/0/64                ------>
                                                    <------   ACK [1237] 2.04 2:1/1/64 <64>
      CON [1238] POST /soap 2:2/0/64                ------>
                                                    <------   ACK [1238] 2.04 2:2/1/64 <64>
      CON [1239] POST /soap 2:3/0/64                ------>
                                                    <------   ACK [1239] 2.04 2:3/0/64 <48>`,
      parts
    )
    if (cast !== 'server') expect(parts.client.responses[0]?.payload.length).toBe(240)
  })
})

// The token 0xfc of the figures is "arbitrary" (§3.4): our client takes another for each block.
eachCast('RFC 7959 §3.4: Observe and Block2', (play, cast) => {
  test('figure 12: a notification is its first block, the rest is fetched', () => {
    const parts = icon(200)
    play(
      `
      {client observes}
      CON [1636] GET (fb) /status-icon Observe=0  ------>
                                                  <------  ACK [1636] 2.05 (fb) 2:0/1/128 Observe=62350* <128>
      # Usual GET transfer, which the figure leaves out
      CON [1600] GET (f0) /status-icon 2:1/0/128  ------>
                                                  <------  ACK [1600] 2.05 (f0) 2:1/0/128 <72>
      {server changes}
                                                  <------  CON [af9c] 2.05 (fb) 2:0/1/128 Observe=62354* <128>
      ACK [af9c]                                  ------>
      CON [1637] GET (fc) /status-icon 2:1/0/128  ------>
                                                  <------  ACK [1637] 2.05 (fc) 2:1/1/128 <128>
      CON [1638] GET (fd) /status-icon 2:2/0/128  ------>
                                                  <------  ACK [1638] 2.05 (fd) 2:2/0/128 <53>`,
      parts
    )
    if (cast !== 'server') expect(bodies(parts)).toEqual([200, 309])
  })

  test('figure 13: the same with early negotiation', () => {
    const parts = icon(100, [uintOption(OptionNumber.block2, 2)])
    play(
      `
      {client observes}
      CON [1636] GET (fb) /status-icon Observe=0 2:0/0/64  ------>
                                                 <------  ACK [1636] 2.05 (fb) 2:0/1/64 Observe=62350* <64>
      CON [1600] GET (f0) /status-icon 2:1/0/64  ------>
                                                 <------  ACK [1600] 2.05 (f0) 2:1/0/64 <36>
      {server changes}
                                                 <------  CON [af9c] 2.05 (fb) 2:0/1/64 Observe=62354* <64>
      ACK [af9c]                                 ------>
      CON [1637] GET (fc) /status-icon 2:1/0/64  ------>
                                                 <------  ACK [1637] 2.05 (fc) 2:1/1/64 <64>
      CON [1639] GET (fd) /status-icon 2:2/0/64  ------>
                                                 <------  ACK [1639] 2.05 (fd) 2:2/1/64 <64>
      CON [1640] GET (fe) /status-icon 2:3/0/64  ------>
                                                 <------  ACK [1640] 2.05 (fe) 2:3/1/64 <64>
      CON [1638] GET (ff) /status-icon 2:4/0/64  ------>
                                                 <------  ACK [1638] 2.05 (ff) 2:4/0/64 <53>`,
      parts
    )
    if (cast !== 'server') expect(bodies(parts)).toEqual([100, 309])
  })
})
