import { Code, decodeMessage, encodeMessage, Method, readUriPath, uriPath } from '@breakwater/coap'
import { ipv4 } from '@breakwater/core'
import type { ClientCredentials, PeerIdentity, SecureEndpoint, ServerCredentials } from '@breakwater/core'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { createPrivateKey } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { newRawKey } from '../packages/dtls/test/raw-keys.ts'
import type { TestRawKey } from '../packages/dtls/test/raw-keys.ts'
import { TestAuthority, loopback, openResponder, psk, pskIdentity } from './dtls-parties.ts'
import type { Responder } from './dtls-parties.ts'
import { Program, eventually } from './program.ts'

type OurServer = Responder & { readonly endpoint: SecureEndpoint }
type Build = 'openssl' | 'gnutls'
const builds: readonly Build[] = ['openssl', 'gnutls']
const clientKey = newRawKey()
const strangerKey = newRawKey()

let authority: TestAuthority
const running: Program[] = []
const open: SecureEndpoint[] = []
beforeAll(() => void (authority = new TestAuthority('Breakwater interop CA')))
afterAll(() => authority.remove())
afterEach(async () => {
  for (const program of running.splice(0)) program.stop()
  await Promise.all(open.splice(0).map((endpoint) => endpoint.destroy()))
})

function run(command: string, ...args: readonly string[]): Program {
  const program = new Program(command, ...args)
  running.push(program)
  return program
}

/** libcoap reads a raw key from a PEM file of the older kind. */
function fileOf(name: string, { credentials }: TestRawKey): string {
  const file = join(authority.folder, name)
  writeFileSync(file, createPrivateKey(credentials.privateKey).export({ type: 'sec1', format: 'pem' }))
  return file
}

/** A CoAP server of one line: says which path was asked for. */
function answerCoap(datagram: Uint8Array): Uint8Array {
  const request = decodeMessage(datagram)
  const payload = Buffer.from(`you asked for /${readUriPath(request.options).join('/')}`)
  return encodeMessage({ ...request, type: 'acknowledgement', code: Code.content, options: [], payload })
}

async function serveOurselves(more: ServerCredentials = {}): Promise<OurServer> {
  const server = await openResponder(authority, answerCoap, more)
  open.push(server.endpoint)
  return server
}

function get(build: Build, { endpoint }: OurServer, path: string, ...args: readonly string[]): Program {
  const uri = `coaps://127.0.0.1:${endpoint.local.port}/${path}`
  return run(`coap-client-${build}`, '-B', '5', ...args, uri)
}

/** libcoap takes a port for plain CoAP and the next one for CoAP over DTLS. */
async function serveByLibcoap(build: Build, ...args: readonly string[]): Promise<number> {
  const probe = createSocket('udp4').bind(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  run(`coap-server-${build}`, '-A', '127.0.0.1', '-p', String(port), ...args)
  return port + 1
}

interface Asked {
  identity?: PeerIdentity
  answer?: string
  failure?: string
}

/** Asks a server of libcoap for the time; the handshake is tried until the server is up. */
async function ask(port: number, credentials: ClientCredentials): Promise<Asked> {
  const asked: Asked = {}
  const request = encodeMessage({
    type: 'confirmable',
    code: Method.get,
    messageId: 7,
    token: new Uint8Array(0),
    options: uriPath('time'),
    payload: new Uint8Array(0)
  })
  const endpoint = await openDtlsEndpoint(
    { role: 'client', local: loopback, credentials },
    {
      onBatch: (batch) => {
        asked.answer ??= Buffer.from(decodeMessage(batch.bytes(0)).payload).toString()
      },
      onSession: (event) => {
        if (event.kind === 'failed') asked.failure = event.reason
        if (event.kind !== 'established') return
        asked.identity = event.identity
        endpoint.send(event.peer, request)
      }
    }
  )
  open.push(endpoint)
  endpoint.connect({ remote: { address: ipv4(0x7f000001), port }, serverName: 'server.example' })
  const heard = (): boolean => asked.answer !== undefined || asked.failure !== undefined
  await eventually('an answer or a failure', heard, () => JSON.stringify(asked), 20_000)
  return asked
}

describe.for(builds)('coap-client-%s of libcoap against our server', (build) => {
  it('asks and is answered with certificates', async () => {
    const server = await serveOurselves()
    const { certificateFile, keyFile } = authority.issue('coap.example')
    const trust = ['-C', authority.certificateFile, '-R', authority.certificateFile]
    const program = get(build, server, 'hello', '-c', certificateFile, '-j', keyFile, ...trust)
    await program.says(/you asked for \/hello/)
    expect(server.events[0]).toMatchObject({ kind: 'established', identity: { dnsNames: ['coap.example'] } })
  })

  it('asks and is answered with a pre-shared key', async () => {
    const server = await serveOurselves()
    const program = get(build, server, 'a/b', '-u', pskIdentity, '-k', Buffer.from(psk).toString())
    await program.says(/you asked for \/a\/b/)
    expect(server.events[0]).toMatchObject({ identity: { kind: 'psk', identity: pskIdentity } })
  })

  it('is refused with an unknown identity', async () => {
    const server = await serveOurselves()
    const program = get(build, server, 'a', '-u', 'nobody', '-k', Buffer.from(psk).toString())
    await program.ends()
    expect(program.output).not.toMatch(/you asked/)
    expect(server.events).toMatchObject([{ kind: 'failed', reason: 'no-shared-key' }])
  })
})

describe.for(builds)('coap-server-%s of libcoap asked by our client', (build) => {
  it('answers with certificates', async () => {
    const { certificateFile, keyFile } = authority.issue('server.example')
    const own = ['-c', certificateFile, '-j', keyFile, '-C', authority.certificateFile]
    const asked = await ask(await serveByLibcoap(build, ...own), authority.credentials('client.example'))
    expect(asked).toMatchObject({ identity: { kind: 'certificate', dnsNames: ['server.example'] } })
    expect(asked.answer).toMatch(/\d\d:\d\d/)
  })

  it('answers with a pre-shared key', async () => {
    const port = await serveByLibcoap(build, '-k', Buffer.from(psk).toString())
    const asked = await ask(port, { kind: 'psk', identity: pskIdentity, key: psk })
    expect(asked).toMatchObject({ identity: { kind: 'psk', identity: pskIdentity } })
    expect(asked.answer).toMatch(/\d\d:\d\d/)
  })
})

// libcoap 4.3.1 has raw public keys with GnuTLS only.
describe('libcoap with GnuTLS and raw public keys', () => {
  it('asks as a client, and is answered when its key is on our list', async () => {
    const certificate = authority.credentials('server.example')
    const { privateKey } = certificate
    const rawPublicKey = { kind: 'raw-public-key', privateKey, peerKeys: [clientKey.digest] } as const
    const server = await serveOurselves({ certificate, rawPublicKey })
    const program = get('gnutls', server, 'raw', '-M', fileOf('client.raw', clientKey))
    await program.says(/you asked for \/raw/)
    const identity: PeerIdentity = { kind: 'raw-public-key', spkiSha256: clientKey.digest }
    expect(server.events[0]).toMatchObject({ kind: 'established', identity })
    const stranger = get('gnutls', server, 'raw', '-M', fileOf('stranger.raw', strangerKey))
    await stranger.ends()
    expect(stranger.output).not.toMatch(/you asked/)
    expect(server.events.at(-1)).toMatchObject({ kind: 'failed', reason: 'certificate-refused' })
  })

  it('answers as a server, when its key is on our list', async () => {
    const serverKey = newRawKey()
    const port = await serveByLibcoap('gnutls', '-M', fileOf('server.raw', serverKey))
    const asked = await ask(port, { ...clientKey.credentials, peerKeys: [serverKey.digest] })
    expect(asked.identity).toEqual({ kind: 'raw-public-key', spkiSha256: serverKey.digest })
    expect(asked.answer).toMatch(/\d\d:\d\d/)
    const { failure } = await ask(port, { ...clientKey.credentials, peerKeys: [strangerKey.digest] })
    expect(failure).toBe('certificate-refused')
  })
})
