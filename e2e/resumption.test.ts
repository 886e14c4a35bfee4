import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DotsProcess, until } from './dots-process.ts'
import { PskServer } from './psk-server.ts'
import { RawPeer } from './raw-peer.ts'

/** `dots client` ── DTLS on 127.0.0.1 ── `dots server`; each is ended and started again. */
let server: PskServer
let client: DotsProcess | undefined

beforeEach(async () => {
  server = new PskServer()
  await server.start()
})
afterEach(async () => {
  await client?.stop('SIGKILL')
  client = undefined
  await server.remove()
})

const storeOfClient = (): string => join(server.folder, 'client.db')

async function startClient(): Promise<DotsProcess> {
  const config = join(server.folder, 'client.yaml')
  writeFileSync(
    config,
    `domains:
  - name: isp
    prefixes: [203.0.113.0/24]
    sources: [127.0.0.1]
    server: { name: server.example, addresses: [127.0.0.1], port: ${server.port} }
    credentials: { pskIdentity: home, keyFile: home.psk }
store: { path: client.db }
control: { socket: client.sock }
`
  )
  client = new DotsProcess(['client', '--config', config])
  await client.ready()
  return client
}

function says(process: DotsProcess | undefined, pattern: RegExp): Promise<true> {
  return until(
    () => (pattern.test(process?.log ?? '') ? true : undefined),
    () => `not a word of ${String(pattern)} in:\n${process?.log ?? ''}`
  )
}

describe('a session that both sides have forgotten', () => {
  it('is resumed after a restart of the client and of the server', async () => {
    const first = await startClient()
    await says(server.process, /session\.established/)
    await until(
      () =>
        statSync(`${storeOfClient()}-sessions`, { throwIfNoEntry: false })?.isFile() === true
          ? true
          : undefined,
      () => 'no session was kept'
    )
    expect(server.process?.log).not.toMatch(/session\.resumed/)
    await first.stop()
    await server.kill()
    await server.start()
    const second = await startClient()
    await says(server.process, /session\.resumed/)
    await says(second, /session\.resumed/)
    for (const file of [`${storeOfClient()}-sessions`, `${server.storePath}-tickets`])
      expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(server.process?.log).not.toContain(
      readFileSync(`${server.storePath}-tickets`, 'utf8').split(' ')[1]?.trim()
    )
  })
})

function writeKey(text: string): void {
  const file = join(server.folder, 'home.psk')
  writeFileSync(file, text)
  chmodSync(file, 0o600)
}

describe('SIGHUP', () => {
  const oldKey = new Uint8Array(32).fill(0x10)
  const newKey = new Uint8Array(32).fill(0x77)

  it('gives a server the credentials of its files as they are now, and leaves the sessions that there are', async () => {
    const before = await server.connect('home')
    writeKey(Buffer.from(newKey).toString('hex'))
    process.kill(server.pid, 'SIGHUP')
    await says(server.process, /credentials\.reloaded/)
    const after = await RawPeer.connect(server.port, 'home', newKey)
    expect((await after.ask({ path: ['.well-known', 'dots', 'config'] })).code).toMatch(/^\d\.\d\d$/)
    expect((await before.ask({ path: ['.well-known', 'dots', 'config'] })).code).toMatch(/^\d\.\d\d$/)
    await before.close()
    await after.close()
  })

  it('leaves the old ones when those of the files are unusable, and says so', async () => {
    writeKey('nonsense')
    process.kill(server.pid, 'SIGHUP')
    await says(server.process, /credentials\.not_reloaded/)
    const peer = await RawPeer.connect(server.port, 'home', oldKey)
    await peer.close()
  })
})
