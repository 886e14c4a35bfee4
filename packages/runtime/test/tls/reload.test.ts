import { ConfigError } from '@breakwater/core'
import { RecordingHandlers } from '@breakwater/testing'
import { afterAll, afterEach, expect, it } from 'vitest'
import { TestAuthority } from '../../../dtls/test/pki.ts'
import { Credentials } from '../../../dtls/test/loopback-parties.ts'
import { TlsWorld } from './tls-world.ts'

const authority = new TestAuthority('Breakwater test CA')
let world: TlsWorld
afterEach(() => world.close())
afterAll(() => authority.remove())

const key = Buffer.from('0123456789abcdef')
const psk = { kind: 'psk', identity: 'site-1', key } as const
const preSharedKeys = new Map([[psk.identity, psk.key]])

it('new credentials are for connections that come later; those that there are stay', async () => {
  world = new TlsWorld(new Credentials(authority, authority))
  const [atServer, atClient] = [new RecordingHandlers(), new RecordingHandlers()]
  const server = await world.openServer(atServer)
  const client = await world.openClient(atClient)
  const request = { remote: server.local, serverName: world.serverName }
  const first = client.connect(request)
  await world.until(() => atServer.established().length === 1 && atClient.isEstablished(first))

  server.reload?.({ preSharedKeys })
  const refused = client.connect(request)
  await world.until(() => atClient.failureOf(refused) !== undefined)
  client.reload?.(psk)
  const second = client.connect(request)
  await world.until(() => atServer.established().length === 2)
  const [, known] = atServer.established()
  expect(known === undefined ? undefined : atServer.identityOf(known)).toEqual({
    kind: 'psk',
    identity: 'site-1'
  })
  await world.until(() => atClient.isEstablished(second))
  expect(client.send(first, Buffer.from('still here'))).toBe(true)
  await world.until(() => atServer.received.length > 0)
})

it('unusable ones are refused, and the old ones stay', async () => {
  world = new TlsWorld(new Credentials(authority, authority))
  const [atServer, atClient] = [new RecordingHandlers(), new RecordingHandlers()]
  const server = await world.openServer(atServer)
  const client = await world.openClient(atClient)
  const broken = { ...world.certificate('server'), certificate: 'not a certificate' }
  expect(() => server.reload?.({ certificate: broken })).toThrow(ConfigError)
  expect(() => server.reload?.(psk)).toThrow(ConfigError)
  expect(() => client.reload?.({ preSharedKeys })).toThrow(ConfigError)
  client.connect({ remote: server.local, serverName: world.serverName })
  await world.until(() => atServer.established().length === 1)
})
