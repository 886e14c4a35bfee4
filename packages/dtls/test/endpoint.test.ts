import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { PeerId, PlaintextBatch, SecureEndpoint, SessionEvent } from '@breakwater/core'
import { openDtlsEndpoint } from '../src/index.ts'
import { eventually } from './eventually.ts'
import { TestAuthority } from './pki.ts'

const loopback = { address: { family: 4, a: 0x7f000001, b: 0, c: 0, d: 0 }, port: 0 } as const

class Log {
  readonly events: SessionEvent[] = []
  readonly texts: string[] = []
  batch: (batch: PlaintextBatch) => void = () => undefined

  readonly onBatch = (batch: PlaintextBatch): void => {
    for (let index = 0; index < batch.count; index++)
      this.texts.push(Buffer.from(batch.bytes(index)).toString())
    this.batch(batch)
  }

  readonly onSession = (event: SessionEvent): void => void this.events.push(event)
}

describe('a DTLS endpoint on loopback', () => {
  let authority: TestAuthority
  const open: SecureEndpoint[] = []
  beforeAll(() => void (authority = new TestAuthority('Breakwater test CA')))
  afterAll(() => authority.remove())
  afterEach(async () => {
    await Promise.all(open.splice(0).map((endpoint) => endpoint.destroy()))
  })

  async function echoServer(log: Log): Promise<SecureEndpoint> {
    const server = await openDtlsEndpoint(
      {
        role: 'server',
        local: loopback,
        certificate: authority.credentials('server.example'),
        preSharedKeys: new Map([['site-1', Buffer.from('0123456789abcdef')]])
      },
      log
    )
    log.batch = (batch) => {
      for (let index = 0; index < batch.count; index++) server.send(batch.peer(index), batch.bytes(index))
    }
    open.push(server)
    return server
  }

  it('echoes over certificates', async () => {
    const log = new Log()
    const server = await echoServer(log)
    const seen = new Log()
    const credentials = authority.credentials('client.example')
    const client = await openDtlsEndpoint({ role: 'client', local: loopback, credentials }, seen)
    open.push(client)
    const peer: PeerId = client.connect({ remote: server.local, serverName: 'server.example' })
    await eventually('established', () => seen.events.length > 0)
    expect(seen.events).toMatchObject([
      { kind: 'established', peer, identity: { dnsNames: ['server.example'] } }
    ])
    expect(client.send(peer, Buffer.from('hello'))).toBe(true)
    await eventually('echo', () => seen.texts.length === 1)
    expect(seen.texts).toEqual(['hello'])
    expect(log.events).toMatchObject([{ kind: 'established', identity: { subject: 'client.example' } }])
  })

  it('echoes over a pre-shared key', async () => {
    const server = await echoServer(new Log())
    const seen = new Log()
    const credentials = { kind: 'psk', identity: 'site-1', key: Buffer.from('0123456789abcdef') } as const
    const client = await openDtlsEndpoint({ role: 'client', local: loopback, credentials }, seen)
    open.push(client)
    const peer = client.connect({ remote: server.local, serverName: 'server.example' })
    await eventually('established', () => seen.events.length > 0)
    expect(client.send(peer, Buffer.from('by key'))).toBe(true)
    await eventually('echo', () => seen.texts.length === 1)
    expect(seen.texts).toEqual(['by key'])
  })
})
