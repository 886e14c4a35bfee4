import { ConfigError } from '@breakwater/core'
import type { PeerId, PskCredentials, SecureEndpoint } from '@breakwater/core'
import { expect, it } from 'vitest'
import { RecordingHandlers } from './recording-handlers.ts'
import { attendClient, attendServer, connect, establish, sendTexts } from './secure-pair.ts'
import type { Attended } from './secure-pair.ts'
import type { CurrentWorld } from './secure-endpoint-world.ts'

const key = Uint8Array.from({ length: 16 }, (_, index) => index)

function pskOf(identity: string, bytes: Uint8Array = key): PskCredentials {
  return { kind: 'psk', identity, key: bytes }
}

const preSharedKeys: ReadonlyMap<string, Uint8Array> = new Map([['site-1', key]])

/** An endpoint must refuse to open; one that opens all the same is reported as such. */
function codeOfRefusal(opening: Promise<SecureEndpoint>): Promise<unknown> {
  return opening.then(
    () => 'opened',
    (error: unknown) => error
  )
}

export function credentialCases(world: CurrentWorld): void {
  async function outcome(
    server: Attended<SecureEndpoint>,
    client: Attended<SecureEndpoint>
  ): Promise<PeerId> {
    const peer = connect(world(), client, server)
    await world().until(() => client.log.events.length > 0, world().handshakeGivesUpWithin)
    expect(server.log.established()).toEqual([])
    expect(client.log.established()).toEqual([])
    return peer
  }

  it('refuses a client whose certificate comes from a stranger', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world(), { credentials: world().certificate('client', 'stranger') })
    const peer = await outcome(server, client)
    await world().until(() => server.log.failures().length > 0)
    expect(server.log.failures()).toEqual(['certificate-refused'])
    expect(client.log.failureOf(peer)).toBe('peer-alert')
  })

  it('refuses a server whose certificate comes from a stranger', async () => {
    const server = await attendServer(world(), { certificate: world().certificate('server', 'stranger') })
    const client = await attendClient(world())
    const peer = await outcome(server, client)
    expect(client.log.failureOf(peer)).toBe('certificate-refused')
    await world().until(() => server.log.failures().length > 0)
    expect(server.log.failures()).toEqual(['peer-alert'])
  })

  it('refuses a server whose certificate is for another name', async () => {
    const server = await attendServer(world(), { certificate: world().certificate('server', 'other-name') })
    const client = await attendClient(world())
    const peer = await outcome(server, client)
    expect(client.log.failureOf(peer)).toBe('name-mismatch')
    await world().until(() => server.log.failures().length > 0)
    expect(server.log.failures()).toEqual(['peer-alert'])
  })

  it('compares the name without regard to case', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world())
    const serverName = world().serverName.toUpperCase()
    const peer = client.endpoint.connect({ remote: server.endpoint.local, serverName })
    await world().until(() => client.log.events.length > 0)
    expect(client.log.isEstablished(peer)).toBe(true)
  })

  it('refuses a key of an identity that the server does not know', async () => {
    const server = await attendServer(world(), { preSharedKeys })
    const client = await attendClient(world(), { credentials: pskOf('site-2') })
    const peer = await outcome(server, client)
    await world().until(() => server.log.failures().length > 0)
    expect(server.log.failures()).toEqual(['no-shared-key'])
    expect(client.log.failureOf(peer)).toBe('peer-alert')
  })

  it('comes to nothing when the key is wrong', { timeout: 600_000 }, async () => {
    const server = await attendServer(world(), { preSharedKeys })
    const wrong = Uint8Array.from(key, (byte) => byte ^ 0xff)
    const client = await attendClient(world(), { credentials: pskOf('site-1', wrong) })
    const peer = await outcome(server, client)
    // A record that does not decrypt may be answered or dropped (RFC 6347 §4.1.2.7), so the reason is open.
    expect(['timeout', 'peer-alert', 'protocol', 'no-shared-key']).toContain(client.log.failureOf(peer))
  })

  it('comes to nothing when the client has a key and the server takes certificates only', async () => {
    const server = await attendServer(world())
    const client = await attendClient(world(), { credentials: pskOf('site-1') })
    const peer = await outcome(server, client)
    expect(client.log.failureOf(peer)).toBeDefined()
  })

  it('serves the next client after one that it refused', async () => {
    const server = await attendServer(world())
    const stranger = await attendClient(world(), { credentials: world().certificate('client', 'stranger') })
    await outcome(server, stranger)
    const pair = await establish(world(), server, await attendClient(world()))
    expect(server.log.identityOf(pair.toClient)).toMatchObject({ dnsNames: [world().clientName] })
  })

  it('uses new credentials of a server for new handshakes, and keeps its sessions', async () => {
    const pair = await establish(world(), await attendServer(world()), await attendClient(world()))
    const { server, client, toServer } = pair
    server.endpoint.reload?.({ preSharedKeys })
    const late = await attendClient(world())
    const peer = connect(world(), late, server)
    await world().until(() => late.log.failureOf(peer) !== undefined)
    const keyed = await attendClient(world(), { credentials: pskOf('site-1') })
    await establish(world(), server, keyed)
    sendTexts(client.endpoint, toServer, ['still here'])
    await world().until(() => server.log.received.length === 1)
    expect(server.log.endOf(pair.toClient)).toBeUndefined()
  })

  it('uses new credentials of a client for its next connection, and does not resume by the old ones', async () => {
    const server = await attendServer(world(), { certificate: world().certificate('server'), preSharedKeys })
    const client = await attendClient(world())
    const first = await establish(world(), server, client)
    client.endpoint.close(first.toServer)
    await world().until(() => server.log.endOf(first.toClient) !== undefined)
    client.endpoint.reload?.(pskOf('site-1'))
    const second = await establish(world(), server, client)
    expect(server.log.identityOf(second.toClient)).toEqual({ kind: 'psk', identity: 'site-1' })
  })

  it('keeps the old credentials when the new ones are unusable', async () => {
    const server = await attendServer(world())
    const broken = { ...world().certificate('server'), certificate: 'not a certificate' }
    expect(() => server.endpoint.reload?.({ certificate: broken })).toThrow(ConfigError)
    expect(() => server.endpoint.reload?.(pskOf('site-1'))).toThrow(ConfigError)
    await establish(world(), server, await attendClient(world()))
  })

  it('does not open with a certificate that is none', async () => {
    const broken = { ...world().certificate('server'), certificate: 'not a certificate' }
    const refusal = await codeOfRefusal(world().openServer(new RecordingHandlers(), { certificate: broken }))
    expect(refusal).toBeInstanceOf(ConfigError)
  })

  it('does not open with trust anchors that are none', async () => {
    const broken = { ...world().certificate('client'), trustAnchors: '' }
    const refusal = await codeOfRefusal(world().openClient(new RecordingHandlers(), { credentials: broken }))
    expect(refusal).toBeInstanceOf(ConfigError)
  })

  it('does not open with the private key of somebody else', async () => {
    const { privateKey } = world().certificate('client')
    const mixed = { ...world().certificate('server'), privateKey }
    const refusal = await codeOfRefusal(world().openServer(new RecordingHandlers(), { certificate: mixed }))
    expect(refusal).toBeInstanceOf(ConfigError)
  })
}
