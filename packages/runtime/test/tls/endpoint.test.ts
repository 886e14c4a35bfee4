import { ConfigError, encodeUtf8, ipv4, Milliseconds, Seconds } from '@breakwater/core'
import { openBoundTcpSocket, openDtlsEndpoint } from '@breakwater/dtls'
import { RecordingHandlers } from '@breakwater/testing'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TestAuthority } from '../../../dtls/test/pki.ts'
import { openTlsEndpoint, tlsEndpointOpener } from '../../src/index.ts'
import { Credentials } from '../../../dtls/test/loopback-parties.ts'
import { TlsWorld } from './tls-world.ts'

let authority: TestAuthority
let world: TlsWorld
const strangers: TLSSocket[] = []
beforeAll(() => {
  authority = new TestAuthority('Breakwater test CA')
})
afterAll(() => authority.remove())
beforeEach(() => {
  world = new TlsWorld(new Credentials(authority, authority))
})
afterEach(async () => {
  for (const stranger of strangers.splice(0)) stranger.destroy()
  await world.close()
})

/** A client of Node's own, which does what ours would not. */
function strangerAt(port: number): TLSSocket {
  const { certificate, privateKey, trustAnchors } = world.certificate('client')
  const stranger = connectTls({
    port,
    host: '127.0.0.1',
    servername: world.serverName,
    ALPNProtocols: ['coap'],
    cert: certificate,
    key: privateKey,
    ca: trustAnchors
  })
  strangers.push(stranger.on('error', () => undefined))
  return stranger
}

describe('a peer that does not read', () => {
  it('fills its queue, is ended, and costs no more memory than the queue', async () => {
    const log = new RecordingHandlers()
    const queuedBytes = 256 * 1024
    const server = await world.openServer(log, { limits: { queuedBytes } })
    strangerAt(server.local.port).pause()
    await world.until(() => log.established().length === 1)
    const [peer] = log.established()
    const piece = new Uint8Array(64 * 1024)
    let taken = 0
    // The kernel's buffers on loopback take some megabytes.
    while (taken < 64 * 1024 * 1024 && server.send(peer!, piece)) {
      taken += piece.length
      await world.pause(Milliseconds(1))
    }
    await world.until(() => log.endOf(peer!) !== undefined)
    expect(log.endOf(peer!)).toBe('local')
    expect(taken).toBeGreaterThanOrEqual(queuedBytes)
    expect(taken).toBeLessThan(64 * 1024 * 1024)
    expect(server.stats()).toMatchObject({ sessions_overrun_total: 1, peers: 0 })
  })

  it('does not hold up the end for ever', async () => {
    const log = new RecordingHandlers()
    const server = await world.openServer(log, { limits: { queuedBytes: 64 * 1024 * 1024 } })
    strangerAt(server.local.port).pause()
    await world.until(() => log.established().length === 1)
    server.send(log.established()[0]!, new Uint8Array(48 * 1024 * 1024))
    server.close(log.established()[0]!)
    await world.until(() => server.stats()['lingering'] === 0, Seconds(8))
    expect(log.endOf(log.established()[0]!)).toBe('local')
  })
})

describe('a session', () => {
  it('that is reset ends with an alert', async () => {
    const log = new RecordingHandlers()
    const server = await world.openServer(log)
    const stranger = strangerAt(server.local.port).pause()
    await world.until(() => log.established().length === 1)
    server.send(log.established()[0]!, new Uint8Array(500_000))
    await world.pause(Milliseconds(50))
    // With bytes that it has not read, the kernel says RST.
    stranger.destroy()
    await world.until(() => log.events.length === 2)
    expect(log.endOf(log.established()[0]!)).toBe('alert')
  })

  it('goes on when the client ends its direction only after what it asked for has come', async () => {
    const log = new RecordingHandlers()
    const server = await world.openServer(log)
    log.beforeBatch = (batch) => void server.send(batch.peer(0), encodeUtf8('answer'))
    const stranger = strangerAt(server.local.port)
    let heard = ''
    stranger.on('data', (bytes: Buffer) => (heard += bytes.toString()))
    stranger.write('question')
    await world.until(() => heard === 'answer')
    stranger.end()
    await world.until(() => log.events.length === 2)
    expect(log.endOf(log.established()[0]!)).toBe('close-notify')
  })
})

describe('an interface', () => {
  it('is bound to by a client that is given a way to', async () => {
    const log = new RecordingHandlers()
    const server = await world.openServer(log)
    const local = { address: world.address('client', 4), port: 0 }
    const credentials = world.certificate('client')
    const open = tlsEndpointOpener({ openSocket: openBoundTcpSocket })
    const own = new RecordingHandlers()
    const client = await open({ role: 'client', local, interface: 'lo', credentials }, own)
    const peer = client.connect({ remote: server.local, serverName: world.serverName })
    await world.until(() => own.isEstablished(peer) && log.established().length === 1)
    expect(own.pathOf(peer)).toMatchObject({ interface: 'lo', local: { address: local.address } })
    expect(log.pathOf(log.established()[0]!)?.remote).toEqual(own.pathOf(peer)?.local)
    await client.destroy()
  })

  it.each([
    ['interface that is not there', 'nowhere0', undefined],
    ['address that is not ours', 'lo', ipv4(0xc0000201)]
  ])(
    'or %s makes the connection fail before anything is sent, is counted, and keeps nobody else up',
    async (_what, via, foreign) => {
      const credentials = world.certificate('client')
      const open = tlsEndpointOpener({ openSocket: openBoundTcpSocket })
      const here = { address: world.address('client', 4), port: 0 }
      const [log, others] = [new RecordingHandlers(), new RecordingHandlers()]
      const server = await world.openServer(new RecordingHandlers())
      const local = foreign === undefined ? here : { address: foreign, port: 0 }
      const client = await open({ role: 'client', local, interface: via, credentials }, log)
      const other = await open({ role: 'client', local: here, interface: 'lo', credentials }, others)
      const peer = client.connect({ remote: server.local, serverName: world.serverName })
      const fine = other.connect({ remote: server.local, serverName: world.serverName })
      await world.until(() => log.events.length > 0 && others.isEstablished(fine))
      expect(log.events).toEqual([{ kind: 'failed', peer, reason: 'local' }])
      expect(client.stats()).toMatchObject({ 'handshakes_failed_total{local}': 1 })
      await Promise.all([client.destroy(), other.destroy()])
    }
  )

  it('is refused where Node cannot bind to it, rather than left out', async () => {
    const handlers = new RecordingHandlers()
    await expect(world.openClient(handlers, { interface: 'lo' })).rejects.toThrow(ConfigError)
    await expect(world.openServer(handlers, { interface: 'lo' })).rejects.toThrow(/interface/)
  })
})

describe('options', () => {
  it.each([
    { peers: 0 },
    { peers: 1.5 },
    { handshaking: -1 },
    { queuedBytes: 0 },
    { queuedBytes: Number.NaN },
    { handshake: Seconds(0) },
    { handshake: Seconds(601) },
    { peersPerSource: 0 },
    { handshakingPerSource: 1.5 },
    { firstByte: Milliseconds(Number.NaN) }
  ])('out of range are refused: %o', async (limits) => {
    const opening = world.openServer(new RecordingHandlers(), { limits })
    await expect(opening).rejects.toMatchObject({ code: 'TLS_OPTIONS_INVALID' })
  })

  it.each([
    ['an empty identity', '', 16],
    ['an identity of 129 bytes', 'é'.repeat(65), 16],
    ['an identity with a NUL', 'a\0b', 16],
    ['a key of 15 bytes', 'site', 15],
    ['a key of 65 bytes', 'site', 65]
  ])('refuse %s', async (_, identity, length) => {
    const preSharedKeys = new Map([[identity, new Uint8Array(length)]])
    const opening = world.openServer(new RecordingHandlers(), { preSharedKeys })
    await expect(opening).rejects.toMatchObject({ code: 'TLS_CREDENTIALS_INVALID' })
  })

  it('that are unusable are named without what is secret in them', async () => {
    const { privateKey } = world.certificate('client')
    const secret = privateKey.split('\n')[1] ?? ''
    const certificate = { ...world.certificate('server'), privateKey }
    const error: unknown = await world.openServer(new RecordingHandlers(), { certificate }).catch(String)
    expect(error).toContain('certificate.privateKey')
    expect(error).not.toContain(secret)
  })

  it('need a certificate or a key', async () => {
    const local = { address: world.address('server', 4), port: 0 }
    const opening = openTlsEndpoint({ role: 'server', local }, new RecordingHandlers())
    await expect(opening).rejects.toMatchObject({ code: 'TLS_CREDENTIALS_INVALID' })
  })
})

describe('peer ids', () => {
  it('are never shared with those of a DTLS endpoint', async () => {
    const overTls = new RecordingHandlers()
    const overDtls = new RecordingHandlers()
    const credentials = world.certificate('client')
    const local = { address: world.address('client', 4), port: 0 }
    const tls = await world.openClient(overTls)
    const dtls = await openDtlsEndpoint({ role: 'client', local, credentials }, overDtls)
    const request = { remote: await world.nobody(), serverName: world.serverName }
    const ids = Array.from({ length: 10 }, () => [tls.connect(request), dtls.connect(request)]).flat()
    expect(new Set(ids).size).toBe(20)
    await dtls.destroy()
  })
})
