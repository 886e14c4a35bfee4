import { ConfigError } from '@breakwater/core'
import type { PeerId, PskCredentials, SecureStreamEndpoint } from '@breakwater/core'
import { expect, it } from 'vitest'
import { RecordingHandlers } from './recording-handlers.ts'
import { attendClient, attendServer, connect, establish } from './secure-pair.ts'
import type { AttendedStream } from './streamed-text.ts'
import type { CurrentStreamWorld } from './secure-stream-world.ts'

const key = Uint8Array.from({ length: 16 }, (_, index) => index)

function pskOf(identity: string, bytes: Uint8Array = key): PskCredentials {
  return { kind: 'psk', identity, key: bytes }
}

const preSharedKeys: ReadonlyMap<string, Uint8Array> = new Map([['site-1', key]])

/** An endpoint must refuse to open; one that opens all the same is reported as such. */
function errorOf(opening: Promise<SecureStreamEndpoint>): Promise<unknown> {
  return opening.then(
    () => 'opened',
    (error: unknown) => error
  )
}

export function streamCredentialCases(world: CurrentStreamWorld): void {
  /** The handshake fails at the client, or ends at once: in TLS 1.3 the client finishes before it is judged. */
  async function refusedByServer(server: AttendedStream, client: AttendedStream): Promise<PeerId> {
    const peer = connect(world(), client, server)
    const over = (): boolean =>
      client.log.failureOf(peer) !== undefined || client.log.endOf(peer) !== undefined
    await world().until(() => over() && server.log.failures().length > 0)
    expect(server.log.established()).toEqual([])
    expect(client.endpoint.maximumPlaintext(peer)).toBe(0)
    return peer
  }

  /** The client must never take the session for good; a server may, until the client is gone. */
  async function refusedByClient(server: AttendedStream, client: AttendedStream): Promise<PeerId> {
    const peer = connect(world(), client, server)
    await world().until(() => client.log.failureOf(peer) !== undefined)
    expect(client.log.established()).toEqual([])
    await world().until(
      () =>
        server.log.failures().length > 0 ||
        server.log.endOf(server.log.established()[0] ?? peer) !== undefined
    )
    expect(server.log.received).toEqual([])
    return peer
  }

  it('refuses a client whose certificate comes from a stranger', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world(), { credentials: world().certificate('client', 'stranger') })
    await refusedByServer(server, client)
    expect(server.log.failures()).toEqual(['certificate-refused'])
  })

  it('refuses a server whose certificate comes from a stranger [RFC9132-7.1-M03]', async () => {
    const server = await attendServer(world(), { certificate: world().certificate('server', 'stranger') })
    const client = await attendClient(world())
    expect(client.log.failureOf(await refusedByClient(server, client))).toBe('certificate-refused')
  })

  it('refuses a server whose certificate is for another name [RFC9132-7.1-M04]', async () => {
    const server = await attendServer(world(), { certificate: world().certificate('server', 'other-name') })
    const client = await attendClient(world())
    expect(client.log.failureOf(await refusedByClient(server, client))).toBe('name-mismatch')
  })

  it('compares the name without regard to case', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    const serverName = world().serverName.toUpperCase()
    const peer = client.endpoint.connect({ remote: server.endpoint.local, serverName })
    await world().until(() => client.log.events.length > 0)
    expect(client.log.isEstablished(peer)).toBe(true)
  })

  it.each(['', '.', '.example', '*.example', 'server.example\0', 'a b', `${'a'.repeat(300)}.example`])(
    'takes no certificate for the name %j',
    async (serverName) => {
      const server = await attendServer(world())
      const client = await attendClient(world())
      const peer = client.endpoint.connect({ remote: server.endpoint.local, serverName })
      await world().until(() => client.log.events.length > 0)
      expect(client.log.events).toEqual([{ kind: 'failed', peer, reason: 'name-mismatch' }])
    }
  )

  it('refuses a key of an identity that the server does not know', async () => {
    const server = await attendServer(world(), { preSharedKeys })
    const client = await attendClient(world(), { credentials: pskOf('site-2') })
    const peer = await refusedByServer(server, client)
    expect(server.log.failures()).toEqual(['no-shared-key'])
    expect(client.log.failureOf(peer)).toBe('peer-alert')
  })

  it('comes to nothing when the key is wrong', async () => {
    const server = await attendServer(world(), { preSharedKeys })
    const wrong = Uint8Array.from(key, (byte) => byte ^ 0xff)
    const client = await attendClient(world(), { credentials: pskOf('site-1', wrong) })
    const peer = await refusedByServer(server, client)
    expect(client.log.failureOf(peer)).toBe('peer-alert')
  })

  it('comes to nothing when the client has a key and the server takes certificates only', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world(), { credentials: pskOf('site-1') })
    const peer = await refusedByServer(server, client)
    expect(client.log.established()).toEqual([])
    expect(client.log.failureOf(peer)).toBeDefined()
  })

  it('serves the next client after one that it refused', async () => {
    const server = await attendServer(world())
    const stranger = await attendClient(world(), { credentials: world().certificate('client', 'stranger') })
    await refusedByServer(server, stranger)
    const pair = await establish(world(), server, await attendClient(world()))
    expect(server.log.identityOf(pair.toClient)).toMatchObject({ dnsNames: [world().clientName] })
  })

  it('does not open with a certificate that is none', async () => {
    const broken = { ...world().certificate('server'), certificate: 'not a certificate' }
    const error = await errorOf(world().openServer(new RecordingHandlers(), { certificate: broken }))
    expect(error).toBeInstanceOf(ConfigError)
  })

  it('does not open with trust anchors that are none', async () => {
    const broken = { ...world().certificate('client'), trustAnchors: '' }
    const error = await errorOf(world().openClient(new RecordingHandlers(), { credentials: broken }))
    expect(error).toBeInstanceOf(ConfigError)
  })

  it('does not open with the private key of somebody else', async () => {
    const { privateKey } = world().certificate('client')
    const mixed = { ...world().certificate('server'), privateKey }
    const error = await errorOf(world().openServer(new RecordingHandlers(), { certificate: mixed }))
    expect(error).toBeInstanceOf(ConfigError)
  })
}
