import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Method } from '@breakwater/coap'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from './dots-process.ts'
import { PskServer } from './psk-server.ts'
import { mitigate } from './raw-peer.ts'

/** What stands between a server and who commands it: its socket, its signals and the files that these have it read. */
const server = new PskServer()
let config: string
let good: string

beforeAll(async () => {
  await server.start()
  config = join(server.folder, 'server.yaml')
  good = readFileSync(config, 'utf8')
})
afterAll(() => server.remove())

async function expectServiceAsBefore(): Promise<void> {
  expect(await server.control.agent()).toMatchObject({ role: 'server', pid: server.pid })
  const peer = await server.connect('home')
  expect((await peer.ask({ path: mitigate('cuid=home'), method: Method.get })).code).toBe('4.04')
  await peer.close()
  expect(server.process?.log).not.toMatch(/uncaught|unhandled|InternalError|agent\.stopping/)
}

/** What the socket says to these bytes until it closes. */
function say(bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(join(server.folder, 'server.sock'))
    socket.on('data', (chunk: Buffer) => (said += chunk.toString('latin1')))
    socket.on('error', () => undefined).on('close', () => resolve(said))
    socket.end(bytes)
  })
}

function post(path: string, body: string, length = Buffer.byteLength(body)): string {
  const head = [
    'host: dots',
    'content-type: application/json',
    `content-length: ${length}`,
    'connection: close'
  ]
  return `POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n${body}`
}

describe('the control socket', () => {
  it.each([
    ['a TLS hello', Buffer.from('16030102000100000000', 'hex'), /^HTTP\/1.1 400 /],
    ['random bytes', Buffer.alloc(5000, 0xfe), /^HTTP\/1.1 400 /],
    [
      'a header of 1 MB',
      `GET /v1/agent HTTP/1.1\r\nhost: ${'x'.repeat(1_000_000)}\r\n\r\n`,
      /^(?:HTTP\/1.1 431 |$)/
    ],
    [
      'a body of 1 MB',
      post('/v1/redirection', `{"server":"${'x'.repeat(1_000_000)}"}`),
      /^(?:HTTP\/1.1 413 |$)/
    ],
    ['a body that claims 10 GB', post('/v1/redirection', '{}', 1e10), /^(?:HTTP\/1.1 413 |$)/],
    ['lists a hundred thousand deep', post('/v1/redirection', '['.repeat(100_000)), /^HTTP\/1.1 400 /],
    [
      'a body that reaches for the prototype',
      post('/v1/redirection', '{"__proto__":{"server":"x"}}'),
      /^HTTP\/1.1 400 /
    ],
    [
      'a path that climbs',
      'GET /v1/../../etc/passwd HTTP/1.1\r\nhost: dots\r\nconnection: close\r\n\r\n',
      /^HTTP\/1.1 404 /
    ],
    [
      'a redirection to everybody',
      post('/v1/redirection', '{"server":"a.example","addresses":["224.0.0.1"],"ttlSeconds":1}'),
      /^HTTP\/1.1 400 /
    ],
    [
      'a redirection of nobody',
      post('/v1/redirection', '{"server":"a.example","addresses":[],"ttlSeconds":1,"clients":["hom"]}'),
      /^HTTP\/1.1 400 /
    ]
  ])('refuses %s, and takes the next command', async (_, bytes, answer) => {
    expect(await say(bytes)).toMatch(answer)
    await expectServiceAsBefore()
  })

  it('holds nobody up for who connects and says nothing', async () => {
    const mute = Array.from({ length: 200 }, () => connect(join(server.folder, 'server.sock')))
    await expectServiceAsBefore()
    for (const socket of mute) socket.destroy()
  })
})

const refusals = (): number => (server.process?.log.match(/credentials\.not_reloaded/g) ?? []).length

async function expectRefusal(): Promise<void> {
  const before = refusals()
  process.kill(server.pid, 'SIGHUP')
  await until(
    () => (refusals() > before ? true : undefined),
    () => 'no refusal'
  )
  await expectServiceAsBefore()
}

describe('SIGHUP', () => {
  it.each([
    ['garbage', () => writeFileSync(config, Buffer.alloc(5000, 0xfe))],
    ['2 MB', () => writeFileSync(config, `# ${'x'.repeat(2_000_000)}\n${good}`)],
    ['a bomb of aliases', () => writeFileSync(config, bomb)],
    ['lists a hundred thousand deep', () => writeFileSync(config, '['.repeat(100_000))],
    ['a folder', () => mkdirSync(config)],
    ['a link to itself', () => symlinkSync(config, config)],
    ['a device without end', () => symlinkSync('/dev/zero', config)],
    ['a named pipe', () => execFileSync('mkfifo', [config])],
    ['nothing', () => undefined]
  ])('where the configuration is %s: the old credentials stay', async (_, make) => {
    rmSync(config, { recursive: true, force: true })
    make()
    await expectRefusal()
    rmSync(config, { recursive: true, force: true })
    writeFileSync(config, good)
  })

  it.each([
    ['is open to others', (key: string) => chmodSync(key, 0o644)],
    ['is garbage', (key: string) => writeFileSync(key, 'no key')],
    [
      'is a named pipe',
      (key: string) => {
        rmSync(key)
        execFileSync('mkfifo', ['-m', '600', key])
      }
    ]
  ])('where a key %s: the old credentials stay', async (_, spoil) => {
    const key = join(server.folder, 'home.psk')
    const text = readFileSync(key)
    spoil(key)
    await expectRefusal()
    rmSync(key)
    writeFileSync(key, text, { mode: 0o600 })
  })
})

/** Nine anchors, each of nine of the one before. */
const bomb = Array.from({ length: 9 }, (_, level) => {
  const items = level === 0 ? 'x' : Array.from({ length: 9 }, () => `*a${level - 1}`).join(',')
  return `k${level}: &a${level} [${items}]`
}).join('\n')
