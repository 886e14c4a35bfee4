import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ConfigError, OutgoingBatch, UnavailableError, ipv4, ipv6, newPeerId } from '@breakwater/core'
import type { PeerId, PlaintextBatch, SecureEndpoint, SessionEvent, SocketAddress } from '@breakwater/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDtlsEndpoint } from '../src/index.ts'
import { eventually } from './eventually.ts'
import { TestAuthority } from './pki.ts'

const psk = Buffer.from('0123456789abcdef')
const at = (lastByte: number, port = 0): SocketAddress => ({ address: ipv4(0x7f000000 + lastByte), port })

class Log {
  readonly events: SessionEvent[] = []
  readonly texts: string[] = []
  /** Called with each plaintext before it is written down. */
  before: (text: string, peer: PeerId, batch: PlaintextBatch) => void = () => undefined

  readonly onBatch = (batch: PlaintextBatch): void => {
    for (let index = 0; index < batch.count; index++) {
      const text = Buffer.from(batch.bytes(index)).toString()
      this.before(text, batch.peer(index), batch)
      this.texts.push(text)
    }
  }

  readonly onSession = (event: SessionEvent): void => void this.events.push(event)
}

describe('a DTLS endpoint on loopback', () => {
  let server: SecureEndpoint
  let client: SecureEndpoint
  let heard: Log
  let answered: Log
  const extra: SecureEndpoint[] = []

  async function openPair(serverAt: SocketAddress, reachedAt?: SocketAddress): Promise<PeerId> {
    heard = new Log()
    answered = new Log()
    const preSharedKeys = new Map([['site-1', psk]])
    server = await openDtlsEndpoint({ role: 'server', local: serverAt, preSharedKeys }, heard)
    const credentials = { kind: 'psk', identity: 'site-1', key: psk } as const
    client = await openDtlsEndpoint({ role: 'client', local: at(2), credentials }, answered)
    const remote = { address: (reachedAt ?? server.local).address, port: server.local.port }
    const peer = client.connect({ remote, serverName: 'server.example' })
    await eventually('a session', () => answered.events.length > 0 && heard.events.length > 0)
    expect(answered.events).toMatchObject([{ kind: 'established', peer }])
    return peer
  }
  afterEach(async () => {
    await Promise.all([server, client, ...extra.splice(0)].map((endpoint) => endpoint.destroy()))
  })

  const say = (peer: PeerId, text: string): boolean => client.send(peer, Buffer.from(text))

  describe('bound to one address', () => {
    let toServer: PeerId
    beforeEach(async () => {
      toServer = await openPair(at(1))
    })

    it('delivers the rest of a batch to a handler that threw in the middle', async () => {
      const errors: unknown[] = []
      const others = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => errors.push(error))
      heard.before = (text) => {
        if (text === 'two') throw new Error('cannot read two')
      }
      for (const text of ['one', 'two', 'three', 'four']) say(toServer, text)
      await eventually('four', () => heard.texts.includes('four') && errors.length > 0)
      process.removeAllListeners('uncaughtException')
      for (const listener of others) process.on('uncaughtException', listener)
      expect(heard.texts).toEqual(['one', 'three', 'four'])
      expect(errors.map(String)).toEqual(['Error: cannot read two'])
    })

    it('takes more in one turn than the shared memory holds', async () => {
      const count = 3000
      for (let index = 0; index < count; index++) expect(say(toServer, `message ${index}`)).toBe(true)
      await eventually('the first one', () => heard.texts.includes('message 0'))
      // Loopback drops what the receive buffer cannot hold; what was sent is counted.
      expect(client.stats()).toMatchObject({ plaintextsOut: count, sendsRefused: 0 })
    })

    it('sends a batch of more than the shared memory holds, and leaves out whom it does not know', async () => {
      const count = 3000
      const batch = new OutgoingBatch()
      const put = (peer: PeerId, bytes: Uint8Array): void => {
        const start = batch.add(peer, bytes.length)
        batch.memory.set(bytes, start)
      }
      put(newPeerId(), Buffer.from('to whom?'))
      for (let index = 0; index < count; index++) put(toServer, Buffer.from(`message ${index}`))
      put(toServer, new Uint8Array(client.maximumPlaintext(toServer) + 1))
      expect(say(toServer, 'before all')).toBe(true)
      client.sendBatch?.(batch)
      await eventually('the first ones', () => heard.texts.includes('message 0'))
      expect(heard.texts.slice(0, 3)).toEqual(['before all', 'message 0', 'message 1'])
      expect(client.stats()).toMatchObject({ plaintextsOut: count + 1, sendsRefused: 2 })
    })

    it('may be destroyed from within a batch', async () => {
      let destroyed: Promise<void> | undefined
      heard.before = () => void (destroyed ??= server.destroy())
      for (const text of ['one', 'two', 'three']) say(toServer, text)
      await eventually('the goodbye', () => answered.events.length === 2)
      await destroyed
      expect(answered.events[1]).toMatchObject({ kind: 'closed', reason: 'close-notify' })
    })

    it('survives a handler that takes the memory of the batch away', async () => {
      let taken = 0
      heard.before = (_text, _peer, batch) => {
        if (taken++ === 0)
          structuredClone(batch.bytes(0).buffer, { transfer: [batch.bytes(0).buffer as ArrayBuffer] })
      }
      const errors: unknown[] = []
      const others = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => errors.push(error))
      say(toServer, 'mine')
      await eventually('the theft', () => taken > 0)
      for (let index = 0; index < 100; index++) say(toServer, `after ${index}`)
      await eventually('arrival', () => (server.stats()['plaintextsIn'] ?? 0) > 50)
      process.removeAllListeners('uncaughtException')
      for (const listener of others) process.on('uncaughtException', listener)
      expect(server.stats()['peers']).toBe(1)
    })

    it('answers in microtasks of a handler, too', async () => {
      heard.before = (text, peer) => {
        void Promise.resolve().then(() => server.send(peer, Buffer.from(`${text}!`)))
      }
      say(toServer, 'promise')
      await eventually('an answer', () => answered.texts.length === 1)
      expect(answered.texts).toEqual(['promise!'])
    })

    it('tells who is there', () => {
      expect(server.stats()).toMatchObject({ peers: 1, handshaking: 0, handshakesFinished: 1 })
    })
  })

  it('on the wildcard address, answers from the address that was asked', async () => {
    const toServer = await openPair({ address: ipv4(0), port: 0 }, at(9))
    expect(answered.events).toMatchObject([{ path: { remote: { address: at(9).address } } }])
    heard.before = (text, peer) => void server.send(peer, Buffer.from(text))
    say(toServer, 'from 9')
    await eventually('an answer', () => answered.texts.length === 1)
    expect(heard.events).toMatchObject([{ path: { local: { address: at(9).address } } }])
  })

  it('a client on the wildcard address keeps to the source that the kernel chose', async () => {
    await openPair(at(1))
    const credentials = { kind: 'psk', identity: 'site-1', key: psk } as const
    const log = new Log()
    const anywhere = await openDtlsEndpoint(
      { role: 'client', local: { address: ipv4(0), port: 0 }, credentials },
      log
    )
    extra.push(anywhere)
    anywhere.connect({ remote: server.local, serverName: 'server.example' })
    await eventually('a session', () => log.events.length > 0)
    expect(log.events).toMatchObject([{ kind: 'established', path: { local: { address: at(1).address } } }])
  })

  it('binds to an interface', async () => {
    await openPair(at(1))
    const log = new Log()
    const options = { role: 'server', local: at(3), preSharedKeys: new Map([['site-1', psk]]) } as const
    const bound = await openDtlsEndpoint({ ...options, interface: 'lo' }, log)
    extra.push(bound)
    const peer = client.connect({ remote: bound.local, serverName: 'server.example' })
    await eventually('a session', () => client.maximumPlaintext(peer) > 0)
    expect(log.events).toMatchObject([{ path: { interface: 'lo' } }])
    const nowhere = openDtlsEndpoint({ ...options, interface: 'nowhere0' }, log)
    await expect(nowhere).rejects.toThrow(UnavailableError)
  })
})

it('lets the event loop go on while a handler tries again at once what cannot be', async () => {
  const credentials = { kind: 'psk', identity: 'site-1', key: psk } as const
  const unreachable = { address: ipv6(0, 0, 0, 1), port: 4646 }
  let failures = 0
  let tired = false
  const tryAgain = (): void => void client.connect({ remote: unreachable, serverName: 'server.example' })
  const client = await openDtlsEndpoint(
    { role: 'client', local: at(1), credentials },
    {
      onBatch: () => undefined,
      onSession: () => {
        failures++
        // A bound, so that this test fails instead of never ending.
        if (!tired && failures < 100_000) tryAgain()
      }
    }
  )
  setTimeout(() => (tired = true), 5)
  tryAgain()
  await eventually('a turn of the loop', () => tired)
  expect(failures).toBeGreaterThan(8)
  expect(failures).toBeLessThan(100_000)
  await client.destroy()
})

async function problemOf(options: Parameters<typeof openDtlsEndpoint>[0]): Promise<string> {
  const error: unknown = await openDtlsEndpoint(options, new Log()).then(
    () => undefined,
    (reason: unknown) => reason
  )
  if (!(error instanceof ConfigError)) throw new Error(`not a ConfigError: ${String(error)}`)
  return error.problems.map(({ path }) => path).join(' ')
}

const keysOf = (identity: string, key: Uint8Array): ReadonlyMap<string, Uint8Array> =>
  new Map([[identity, key]])

describe('options that cannot be', () => {
  let authority: TestAuthority
  beforeAll(() => void (authority = new TestAuthority('Breakwater test CA')))
  afterAll(() => authority.remove())

  const server = { role: 'server', local: at(1) } as const

  it('are named by their path', async () => {
    expect(await problemOf(server)).toBe('certificate')
    expect(await problemOf({ ...server, preSharedKeys: keysOf('a', psk), mtu: 100 })).toBe('mtu')
    expect(await problemOf({ ...server, preSharedKeys: keysOf('a', psk), mtu: 1280.5 })).toBe('mtu')
    expect(await problemOf({ ...server, preSharedKeys: keysOf('a', psk), limits: { peers: 0 } })).toBe(
      'limits.peers'
    )
    expect(await problemOf({ ...server, preSharedKeys: keysOf('', psk) })).toBe('preSharedKeys')
    expect(await problemOf({ ...server, preSharedKeys: keysOf('a'.repeat(129), psk) })).toBe('preSharedKeys')
    expect(await problemOf({ ...server, preSharedKeys: keysOf('a\0b', psk) })).toBe('preSharedKeys')
    expect(await problemOf({ ...server, preSharedKeys: keysOf('a', psk.subarray(1)) })).toBe('preSharedKeys')
  })

  it('name the part of the credentials that is no good', async () => {
    const good = authority.credentials('server.example')
    const withCertificate = (change: Partial<typeof good>): Promise<string> =>
      problemOf({ ...server, certificate: { ...good, ...change } })
    expect(await withCertificate({ certificate: 'nothing' })).toBe('certificate.certificate')
    expect(await withCertificate({ certificate: good.certificate.slice(0, 200) })).toBe(
      'certificate.certificate'
    )
    expect(await withCertificate({ privateKey: '' })).toBe('certificate.privateKey')
    expect(await withCertificate({ privateKey: authority.credentials('x.example').privateKey })).toBe(
      'certificate.privateKey'
    )
    expect(await withCertificate({ trustAnchors: 'nothing' })).toBe('certificate.trustAnchors')
    expect(
      await withCertificate({ trustAnchors: `${good.trustAnchors}-----BEGIN CERTIFICATE-----\n!` })
    ).toBe('certificate.trustAnchors')
  })
})

describe('an endpoint that nobody destroys', () => {
  const program = `
    import { Worker, isMainThread, parentPort } from 'node:worker_threads'
    import { openDtlsEndpoint } from '${join(import.meta.dirname, '../src/index.ts')}'
    const keys = new Map([['site-1', Buffer.alloc(16)]])
    const local = { address: { family: 4, a: 0x7f000001, b: 0, c: 0, d: 0 }, port: 0 }
    const open = (role) => openDtlsEndpoint(
      role === 'server' ? { role, local, preSharedKeys: keys }
        : { role, local, credentials: { kind: 'psk', identity: 'site-1', key: keys.get('site-1') } },
      { onBatch: () => {}, onSession: () => finish() })
    const server = await open('server')
    const client = await open('client')
    const finish = () => isMainThread ? process.exit(7) : parentPort.postMessage('established')
    client.connect({ remote: server.local, serverName: 'x' })
  `

  it('goes away with its process', () => {
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 20_000
    })
    expect([run.status, run.signal, run.stderr]).toEqual([7, null, ''])
  })

  it('goes away with its worker', () => {
    const starter = `
      import { Worker } from 'node:worker_threads'
      const url = new URL('data:text/javascript,' + encodeURIComponent(process.env.PROGRAM))
      for (let round = 0; round < 3; round++) {
        const worker = new Worker(url)
        await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
        await worker.terminate()
      }
      process.exitCode = 7
    `
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', starter], {
      encoding: 'utf8',
      timeout: 30_000,
      env: { ...process.env, PROGRAM: program.replaceAll("'/", "'file:///") }
    })
    expect([run.status, run.signal, run.stderr]).toEqual([7, null, ''])
  })
})
