import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'

import {
  Code,
  Method,
  parseCoapUri,
  SignalCode,
  uriOptions,
  uriPath,
  webSocketOpening
} from '@breakwater/coap'
import type { CoapStreamInput, CoapStreamOutput, OutgoingExchange } from '@breakwater/coap'
import { decodeUtf8, encodeUtf8 } from '@breakwater/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'

import { eventually } from '../packages/dtls/test/eventually.ts'
import { TestAuthority } from '../packages/dtls/test/pki.ts'
import { secureProfile } from '../packages/runtime/src/tls/profile.ts'
import { WebSocketEnd, WebSocketHost } from './websocket-ends.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close()
})
let authority: TestAuthority
beforeAll(() => {
  authority = new TestAuthority('Breakwater test CA')
})
afterAll(() => authority.remove())

/** Says hello by name, or sends a long body. */
function hello(output: CoapStreamOutput): CoapStreamInput | undefined {
  if (output.kind !== 'request') return undefined
  const { options, payload } = output.request
  const long = options.some(({ value }) => decodeUtf8(value) === 'long')
  const text = long ? 'x'.repeat(50_000) : `hello ${decodeUtf8(payload)}`
  const response = { code: Code.content, options: [], payload: encodeUtf8(text) }
  return { kind: 'respond', exchange: output.exchange, response }
}

async function serve(
  tls?: ConstructorParameters<typeof WebSocketHost>[0]
): Promise<{ host: WebSocketHost; port: number }> {
  const host = new WebSocketHost(tls, hello)
  open.push(host)
  return { host, port: await host.listen() }
}

async function connect(uri: string, seed = 1, ca?: string | Buffer): Promise<WebSocketEnd> {
  const parsed = parseCoapUri(uri)
  const { url, protocols } = webSocketOpening(parsed)
  const secured = () =>
    connectTls({ port: parsed.port, host: '127.0.0.1', ca: ca ?? '', servername: 'server.example' })
  const socket = new WebSocket(url, [...protocols], ca === undefined ? {} : { createConnection: secured })
  open.push({ close: () => socket.terminate() })
  // In the handler itself: the server's first message may come in one piece with the end of the handshake.
  const end = await new Promise<WebSocketEnd>((resolve, reject) => {
    socket.once('open', () => resolve(new WebSocketEnd(socket, seed)))
    socket.once('error', reject)
  })
  expect(socket.protocol).toBe('coap')
  return end
}

function ask(end: WebSocketEnd, exchange: number, path: string, text = ''): void {
  end.feed({
    kind: 'request',
    exchange: exchange as OutgoingExchange,
    request: { method: Method.post, options: uriPath(path), payload: encodeUtf8(text) },
    confirmable: true
  })
}

const answersOf = (end: WebSocketEnd): string[] =>
  end.outputs.flatMap((output) => (output.kind === 'response' ? [decodeUtf8(output.response.payload)] : []))

describe('CoAP over WebSockets (RFC 8323 §4)', () => {
  it('the opening handshake names the subprotocol and the host, at the well-known place [RFC8323-4.1-M01]', async () => {
    const heard: string[] = []
    const server = createServer((socket) =>
      socket.on('data', (data) => void heard.push(data.toString('latin1')))
    )
    open.push({ close: () => server.close() })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { url, protocols } = webSocketOpening(parseCoapUri(`coap+ws://127.0.0.1:${port}/x?y`))
    for (const Client of [WebSocket, globalThis.WebSocket]) {
      const socket = new Client(url, [...protocols])
      socket.addEventListener('error', () => undefined)
      open.push({ close: () => socket.close() })
      await eventually('a handshake', () => heard.join('').includes('\r\n\r\n'))
      const request = heard.splice(0).join('')
      expect(request).toMatch(/^GET \/\.well-known\/coap HTTP\/1\.1\r\n/)
      expect(request).toMatch(/\r\nsec-websocket-protocol: ?coap\r\n/i)
      expect(request).toMatch(new RegExp(`\\r\\nhost: ?127\\.0\\.0\\.1:${port}\\r\\n`, 'i'))
    }
    for (const socket of open.splice(1)) await socket.close()
  })

  it('the first message of both ends is a CSM, before anything else [RFC8323-4.3-M01]', async () => {
    const { host, port } = await serve()
    const client = await connect(`coap+ws://127.0.0.1:${port}`)
    ask(client, 1, 'x', 'you')
    await eventually('an answer', () => answersOf(client).length === 1)
    expect([client.received[0]?.[1], host.ends[0]?.received[0]?.[1]]).toEqual([
      SignalCode.csm,
      SignalCode.csm
    ])
    expect(answersOf(client)).toEqual(['hello you'])
  })

  it('each message is one binary frame with a Len of zero, however long it is [RFC8323-4.2-M01]', async () => {
    const { host, port } = await serve()
    const client = await connect(`coap+ws://127.0.0.1:${port}`)
    await eventually('both CSM', () => client.received.length > 0 && (host.ends[0]?.received.length ?? 0) > 0)
    for (const [index, length] of [0, 5, 20, 300, 7000].entries())
      ask(client, index + 1, 'x', 'y'.repeat(length))
    ask(client, 9, 'long')
    await eventually('all answers', () => answersOf(client).length === 6)
    const messages = [...client.received, ...(host.ends[0]?.received ?? [])]
    expect(messages.length).toBeGreaterThan(14)
    expect(messages.map(([first = 255]) => first >> 4)).toEqual(messages.map(() => 0))
    expect(answersOf(client).map(({ length }) => length)).toEqual([6, 11, 26, 306, 7006, 50_000])
  })

  it('a Len that is not zero is a fault, and ends the connection', async () => {
    const { host, port } = await serve()
    const { url, protocols } = webSocketOpening(parseCoapUri(`coap+ws://127.0.0.1:${port}`))
    const socket = new WebSocket(url, [...protocols])
    const closed = once(socket, 'close')
    await once(socket, 'open')
    socket.send(Uint8Array.of(0x10, SignalCode.csm, 0x20))
    await closed
    expect(host.ends[0]?.outputs).toMatchObject([
      { kind: 'malformed', error: { code: 'COAP_LENGTH_NOT_ZERO' } },
      { kind: 'close', reason: 'protocol' }
    ])
  })

  it('responses come by the connection of their requests [RFC8323-4.3-M02]', async () => {
    const { port } = await serve()
    // The same entropy: both ends draw the same tokens.
    const [one, other] = [
      await connect(`coap+ws://127.0.0.1:${port}`),
      await connect(`coap+ws://127.0.0.1:${port}`)
    ]
    ask(one, 1, 'x', 'one')
    ask(other, 1, 'x', 'other')
    ask(one, 2, 'x', 'one again')
    await eventually('all answers', () => answersOf(one).length === 2 && answersOf(other).length === 1)
    expect([answersOf(one), answersOf(other)]).toEqual([['hello one', 'hello one again'], ['hello other']])
    expect([one.received.length, other.received.length]).toEqual([3, 2])
  })

  it('whether the connection lives is asked by CoAP, without Ping and Pong frames [RFC8323-4.4-S01]', async () => {
    const { host, port } = await serve()
    const client = await connect(`coap+ws://127.0.0.1:${port}`)
    for (let exchange = 1; exchange <= 3; exchange++)
      client.feed({ kind: 'ping', exchange: exchange as OutgoingExchange })
    ask(client, 9, 'x')
    await eventually('an answer', () => answersOf(client).length === 1)
    expect(client.outputs.filter(({ kind }) => kind === 'pong')).toHaveLength(3)
    expect([...client.control, ...(host.ends[0]?.control ?? [])]).toEqual([])
  })

  it('a Release ends it in order', async () => {
    const { host, port } = await serve()
    const client = await connect(`coap+ws://127.0.0.1:${port}`)
    await eventually('a session', () => client.received.length > 0)
    client.feed({ kind: 'release', release: {} })
    await eventually('the end', () => client.outputs.some(({ kind }) => kind === 'close'))
    expect(host.ends[0]?.outputs.map(({ kind }) => kind)).toEqual(['released', 'close'])
  })

  it('wss: with certificates, and with nothing below TLS 1.2 and no weak suite', async () => {
    const { certificate, privateKey } = authority.credentials('server.example', authority)
    const tls = { cert: Buffer.from(certificate), key: Buffer.from(privateKey) }
    const { port } = await serve({ ...secureProfile({ certificate: true, preSharedKey: false }), ...tls })
    const ca = Buffer.from(authority.credentials('x.example', authority).trustAnchors)
    const client = await connect(`coaps+ws://127.0.0.1:${port}`, 1, ca)
    ask(client, 1, 'x', 'you')
    await eventually('an answer', () => answersOf(client).length === 1)
    expect(answersOf(client)).toEqual(['hello you'])
    const refused = async (options: object): Promise<string> => {
      const socket = connectTls({ port, host: '127.0.0.1', ca, servername: 'server.example', ...options })
      const outcome = await Promise.race([
        once(socket, 'secureConnect').then(() => 'accepted'),
        once(socket, 'error')
      ])
      socket.destroy()
      return outcome === 'accepted' ? 'accepted' : 'refused'
    }
    expect(await refused({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })).toBe('accepted')
    expect(await refused({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' })).toBe(
      'refused'
    )
    expect(await refused({ maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES128-GCM-SHA256' })).toBe('refused')
  })

  it.each([
    ['coap+ws://example.org/sensors?u=Cel', 'ws://example.org/.well-known/coap'],
    ['coaps+ws://[2001:db8::1]:8443/', 'wss://[2001:db8::1]:8443/.well-known/coap'],
    ['coap+ws://127.0.0.1:81', 'ws://127.0.0.1:81/.well-known/coap']
  ])('%s is at %s, and the rest of it goes into options', (uri, url) => {
    const parsed = parseCoapUri(uri)
    expect(webSocketOpening(parsed)).toEqual({ url, protocols: ['coap'] })
    expect(() => webSocketOpening(parseCoapUri('coap://h/'))).toThrow('not for WebSockets')
    const { host, port } = parsed
    if (typeof host !== 'string')
      expect(uriOptions(parsed, { address: host, port }).every(({ number }) => number > 8)).toBe(true)
  })
})
