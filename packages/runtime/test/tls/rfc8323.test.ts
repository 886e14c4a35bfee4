import { once } from 'node:events'
import { connect as connectTcp, createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import { encodeFrame, SignalCode } from '@breakwater/coap'
import { parseIpAddress, Seconds } from '@breakwater/core'
import { RecordingHandlers } from '@breakwater/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestAuthority } from '../../../dtls/test/pki.ts'
import { Credentials } from '../../../dtls/test/loopback-parties.ts'
import { TlsWorld } from './tls-world.ts'

/** A loopback address of this process, so that port 5684 is free on it. */
const own = `127.83.${(process.pid >> 8) & 255}.${process.pid & 255}`
const ownAddress = parseIpAddress(own)!
const COAPS_TCP = 5684
/** A CSM, and enough behind it to fill the head of a TLS record. */
const hello = Buffer.concat(
  [0, 1, 2, 3, 4].map((byte) => {
    const code = byte === 0 ? SignalCode.csm : SignalCode.ping
    return encodeFrame({ code, token: Uint8Array.of(byte), options: [], payload: new Uint8Array(0) })
  })
)

let trusted: TestAuthority
let strange: TestAuthority
let world: TlsWorld
let log: RecordingHandlers
const open: { close(): unknown }[] = []
beforeAll(() => {
  trusted = new TestAuthority('Breakwater test CA')
  strange = new TestAuthority('Somebody else')
})
afterAll(() => {
  trusted.remove()
  strange.remove()
})
beforeEach(() => {
  world = new TlsWorld(new Credentials(trusted, strange))
  log = new RecordingHandlers()
})
afterEach(async () => {
  for (const one of open.splice(0)) one.close()
  await world.close()
})

/** What a client of Node's own agrees on with a server of ours; undefined when it is turned away. */
async function agreedBy(
  host: string,
  port: number,
  protocols: string[] | undefined
): Promise<string | undefined> {
  const { certificate, privateKey, trustAnchors } = world.certificate('client')
  const options: ConnectionOptions = {
    port,
    host,
    servername: world.serverName,
    cert: certificate,
    key: privateKey
  }
  const socket = connectTls({
    ...options,
    ca: trustAnchors,
    ...(protocols === undefined ? {} : { ALPNProtocols: protocols })
  })
  open.push({ close: () => socket.destroy() })
  socket.resume()
  let agreed: string | undefined
  socket.on(
    'secureConnect',
    () => (agreed = socket.alpnProtocol === false ? 'none' : (socket.alpnProtocol ?? 'none'))
  )
  const ended = new Promise<void>((resolve) => {
    for (const event of ['error', 'close', 'end']) socket.on(event, () => resolve())
  })
  const established = world.until(() => log.established().length > 0, Seconds(10))
  return Promise.race([established.then(() => agreed), ended.then(() => undefined)])
}

/** A TLS server of Node's own, which knows these protocols. */
async function strangerAt(host: string, port: number, protocols: string[] | undefined): Promise<number> {
  const { certificate, privateKey } = world.certificate('server')
  const server = createTlsServer(
    { cert: certificate, key: privateKey, ...(protocols === undefined ? {} : { ALPNProtocols: protocols }) },
    (socket) => void open.push({ close: () => socket.on('error', () => undefined).destroy() })
  )
  server.on('tlsClientError', () => undefined)
  open.push({ close: () => server.close() })
  server.listen(port, host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function connect(host: string, port: number): Promise<void> {
  const client = await world.openClient(log)
  client.connect({ remote: { address: parseIpAddress(host)!, port }, serverName: world.serverName })
  await world.until(() => log.established().length + log.failures().length > 0, Seconds(10))
}

describe('RFC 8323 §8.2: coaps+tcp and ALPN', () => {
  it('a server on another port than 5684 agrees on "coap", and on nothing less [RFC8323-8.2-M01]', async () => {
    const { local } = await world.openServer(log)
    expect(local.port).not.toBe(COAPS_TCP)
    expect(await agreedBy('127.0.0.1', local.port, undefined)).toBeUndefined()
    expect(await agreedBy('127.0.0.1', local.port, ['h2'])).toBeUndefined()
    expect(log.established()).toEqual([])
    expect(await agreedBy('127.0.0.1', local.port, ['h2', 'coap'])).toBe('coap')
  })

  it('on port 5684 it does without [RFC8323-8.2-O01]', async () => {
    await world.openServer(log, { local: { address: ownAddress, port: COAPS_TCP } })
    expect(await agreedBy(own, COAPS_TCP, undefined)).toBe('none')
  })

  it('a client leaves a server on port 5684 that refuses the protocol by an alert [RFC8323-8.2-M04]', async () => {
    await strangerAt(own, COAPS_TCP, ['h2'])
    await connect(own, COAPS_TCP)
    expect(log.established()).toEqual([])
    expect(log.failures()).toEqual(['peer-alert'])
  })

  it('but stays with one there that does not know ALPN', async () => {
    await strangerAt(own, COAPS_TCP, undefined)
    await connect(own, COAPS_TCP)
    expect(log.failures()).toEqual([])
  })

  it('a client leaves a server on another port that does not negotiate it [RFC8323-8.2-M03]', async () => {
    await connect('127.0.0.1', await strangerAt('127.0.0.1', 0, undefined))
    expect(log.failures()).toEqual(['protocol'])
  })
})

describe('RFC 8323 §9: security', () => {
  it('the first that a client says on a connection is a ClientHello, and nothing goes in clear text [RFC8323-9.2-M01] [RFC8323-9-M01]', async () => {
    const heard: Buffer[] = []
    const server = createTcpServer((socket) => {
      open.push({ close: () => socket.destroy() })
      socket.on('data', (data) => void heard.push(data)).on('error', () => undefined)
      // What a server in clear text would say.
      socket.write(hello)
    })
    open.push({ close: () => server.close() })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    await connect('127.0.0.1', (server.address() as AddressInfo).port)
    // TLS record, handshake, ClientHello.
    const bytes = Buffer.concat(heard)
    expect([bytes[0], bytes[1], bytes[5]]).toEqual([22, 3, 1])
    expect(log.established()).toEqual([])
    expect(log.failures()).toHaveLength(1)
  })

  it('a server takes nothing in clear text, and says nothing but an alert [RFC8323-9-M01]', async () => {
    const { local } = await world.openServer(log)
    const heard: Buffer[] = []
    const raw = connectTcp(local.port, '127.0.0.1')
    open.push({ close: () => raw.destroy() })
    raw.on('data', (data) => void heard.push(data)).on('error', () => undefined)
    await once(raw, 'connect')
    raw.write(hello)
    await world.until(() => raw.closed || raw.readableEnded, Seconds(10))
    expect(log.established()).toEqual([])
    // TLS records of content type alert, if anything.
    const said = Buffer.concat(heard)
    for (let at = 0; at < said.length; at += 5 + said.readUInt16BE(at + 3)) expect(said[at]).toBe(21)
  })
})
