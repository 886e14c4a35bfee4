import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dots, DotsProcess, until } from './dots-process.ts'
import { PskServer } from './psk-server.ts'
import { Key, array, lifetime, requestBody, text } from './raw-cbor.ts'
import { put } from './settled-server.ts'

/**
 *   client process ── DTLS ── server on 127.0.0.1 ── "ask alt.isp-a.example"
 *        │  └──────── DTLS ── the alternate on 127.0.0.2, at the same port
 *        └─── DNS ─── dnsmasq at an address of loopback of its own
 */
const folder = mkdtempSync(join(tmpdir(), 'breakwater-else-'))
const running: DotsProcess[] = []
const nameServer = `127.${100 + (process.pid % 100)}.${(process.pid >> 8) & 255}.${1 + (process.pid % 250)}`
let dns: ChildProcess | undefined

const obstacle =
  spawnSync('dnsmasq', ['--version']).error !== undefined || process.getuid?.() !== 0
    ? 'no dnsmasq, or no right to port 53'
    : undefined

function write(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function startServer(name: string, address: string, port: number): Promise<number> {
  const config = write(
    `${name}.yaml`,
    `listen: [{ address: ${address}, port: ${port}, transports: [udp] }]
credentials: { certificate: pki/${name}.crt, privateKey: pki/${name}.key, trustAnchors: pki/ca.crt }
clients: [{ name: home, identity: { dnsName: home.example }, prefixes: [203.0.113.0/24] }]
mitigator: { kind: dry-run }
store: { path: ${name}.db }
control: { socket: ${name}.sock }
`
  )
  const server = new DotsProcess(['server', '--config', config])
  running.push(server)
  const { listen } = await server.ready()
  return Number(listen[0]?.split(':').at(-1))
}

async function startClient(port: number): Promise<void> {
  const config = write(
    'client.yaml',
    `domains:
  - name: isp-a
    prefixes: [203.0.113.0/24]
    sources: [127.0.0.1]
    server: { name: dots.isp-a.example, addresses: [127.0.0.1], port: ${port}, transports: [udp] }
    resolver: { kind: plain, servers: [${nameServer}] }
    credentials: { certificate: pki/home.crt, privateKey: pki/home.key, trustAnchors: pki/ca.crt }
control: { socket: client.sock }
`
  )
  const client = new DotsProcess(['client', '--config', config])
  running.push(client)
  await client.ready()
}

function named(name: string): Uint8Array {
  return requestBody([Key.targetFqdn, array(text(name))], lifetime(600))
}

interface Status {
  readonly sessions: readonly { readonly state: string; readonly remote?: string }[]
  readonly mitigations?: readonly { readonly target: unknown }[]
}

async function statusOf(agent: string): Promise<Status> {
  const { stdout } = await dots(['status', '--json', '--socket', join(folder, `${agent}.sock`)])
  return JSON.parse(stdout) as Status
}

beforeAll(async () => {
  const pki = join(folder, 'pki')
  await dots(['pki', 'init', pki])
  await dots(['pki', 'issue', 'first', '--server', '--dns', 'dots.isp-a.example', '--dir', pki])
  await dots(['pki', 'issue', 'alternate', '--server', '--dns', 'alt.isp-a.example', '--dir', pki])
  await dots(['pki', 'issue', 'home', '--client', '--dns', 'home.example', '--dir', pki])
  if (obstacle !== undefined) return
  dns = spawn(
    'dnsmasq',
    [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--pid-file',
      '--user=',
      '--no-resolv',
      '--no-hosts',
      `--listen-address=${nameServer}`,
      '--bind-interfaces',
      '--local=/example/',
      '--host-record=alt.isp-a.example,127.0.0.2',
      '--host-record=web.home.example,203.0.113.9',
      '--host-record=foreign.example,192.0.2.9'
    ],
    { stdio: 'ignore' }
  )
})

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop('SIGKILL')))
})

afterAll(() => {
  dns?.kill()
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(obstacle !== undefined)('names, with processes as they are', () => {
  it('a server sends its client to a name; the request arrives at the server that it means', async () => {
    const port = await startServer('first', '127.0.0.1', 0)
    await startServer('alternate', '127.0.0.2', port)
    await startClient(port)
    await until(
      async () => (await statusOf('client')).sessions.find(({ state }) => state === 'established'),
      () => 'no session'
    )
    const said = await dots([
      'redirect',
      'alt.isp-a.example',
      '--ttl',
      '600',
      '--socket',
      join(folder, 'first.sock')
    ])
    expect(said.code, said.stderr).toBe(0)
    const socket = join(folder, 'client.sock')
    const asked = await dots([
      'protect',
      '203.0.113.7',
      '--json',
      '--wait',
      '--timeout',
      '20',
      '--socket',
      socket
    ])
    expect(asked.code, asked.stdout + asked.stderr).toBe(0)
    expect((await statusOf('alternate')).mitigations).toHaveLength(1)
    expect((await statusOf('first')).mitigations).toHaveLength(0)
    expect((await statusOf('client')).sessions[0]?.remote).toContain('127.0.0.2')
  })

  it('a server mitigates a target by its name, and refuses one that leads out of the domain', async () => {
    const server = new PskServer({ more: `resolver: { kind: plain, servers: [${nameServer}] }` })
    try {
      await server.start()
      const home = await server.connect('home')
      const granted = await home.ask(put(named('web.home.example'), 'cuid=home', 'mid=5'))
      expect(granted.code, granted.text).toBe('2.01')
      const foreign = await home.ask(put(named('foreign.example'), 'cuid=home', 'mid=6'))
      expect(foreign.code).toMatch(/^4\./)
      const mitigations = await server.control.mitigations()
      expect(JSON.stringify(mitigations)).toContain('203.0.113.9')
      expect(mitigations).toHaveLength(1)
      await home.close()
    } finally {
      await server.remove()
    }
  })
})
