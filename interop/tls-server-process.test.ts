import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeSignal } from '@breakwater/model'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dots, DotsProcess } from '../e2e/dots-process.ts'
import { Program } from './program.ts'

const folder = mkdtempSync(join(tmpdir(), 'breakwater-interop-'))
const programs: Program[] = []
const CUID = 'cuid=dz6pHjaADkaFTbjr0JGBpw'
let server: DotsProcess
let port: number

function pki(name: string): string {
  return join(folder, 'pki', name)
}

function manyPrefixes(id: number): string[] {
  return Array.from({ length: 40 }, (_, index) => `2001:db8:${id}:${index}::/64`)
}

/** `coap-client-openssl` of libcoap as a DOTS client over coaps+tcp, by certificate. */
function ask(method: string, path: string, ...more: readonly string[]): Program {
  const identity = ['-c', pki('home.crt'), '-j', pki('home.key'), '-C', pki('ca.crt'), '-R', pki('ca.crt')]
  const uri = `coaps+tcp://127.0.0.1:${port}/.well-known/dots/${path}`
  const program = new Program(
    'coap-client-openssl',
    '-v',
    '6',
    '-B',
    '5',
    '-m',
    method,
    ...identity,
    ...more,
    uri
  )
  programs.push(program)
  return program
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function body(targetPrefix: readonly string[]): string {
  return write(
    'body.cbor',
    encodeSignal({ mitigationScope: { scope: [{ targetPrefix: [...targetPrefix], lifetime: 3600 }] } })
  )
}

async function mitigations(): Promise<readonly unknown[]> {
  const { stdout } = await dots(['status', '--json', '--socket', join(folder, 'server.sock')])
  return (JSON.parse(stdout) as { mitigations: readonly unknown[] }).mitigations
}

beforeAll(async () => {
  const authority = join(folder, 'pki')
  await dots(['pki', 'init', authority])
  await dots(['pki', 'issue', 'server', '--server', '--dns', '127.0.0.1.example', '--dir', authority])
  await dots(['pki', 'issue', 'home', '--client', '--dns', 'home.example', '--dir', authority])
  chmodSync(pki('home.key'), 0o600)
  const config = write(
    'server.yaml',
    `listen: [{ address: 127.0.0.1, port: 0, transports: [tcp] }]
credentials: { certificate: pki/server.crt, privateKey: pki/server.key, trustAnchors: pki/ca.crt }
clients: [{ name: home, identity: { dnsName: home.example }, prefixes: [203.0.113.0/24, '2001:db8::/32'] }]
mitigator: { kind: dry-run }
store: { path: server.db }
control: { socket: server.sock }
`
  )
  server = new DotsProcess(['server', '--config', config])
  const { listen } = await server.ready()
  port = Number(listen[0]?.split(':').at(-1))
})

afterEach(() => {
  for (const program of programs.splice(0)) program.stop()
})

afterAll(async () => {
  await server.stop('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

describe('coap-client-openssl of libcoap against a server process, over TLS', () => {
  it('is told that there is no mitigation', async () => {
    await ask('get', `mitigate/${CUID}`).says(/this cuid has no mitigations/)
  })

  it('asks for protection, and the server mitigates', async () => {
    const program = ask('put', `mitigate/${CUID}/mid=1`, '-t', '271', '-f', body(['203.0.113.7/32']))
    await program.says(/2\.01/)
    expect(await mitigations()).toMatchObject([{ client: 'home', target: { prefixes: ['203.0.113.7/32'] } }])
  })

  it('is refused what is not its own', async () => {
    const program = ask('put', `mitigate/${CUID}/mid=2`, '-t', '271', '-f', body(['198.51.100.7/32']))
    await program.says(/198\.51\.100\.7\/32 does not belong to your domain/)
  })

  it('sends heartbeats', async () => {
    const heartbeat = write('hb.cbor', encodeSignal({ heartbeat: { peerHbStatus: true } }))
    await ask('put', 'hb', '-t', '271', '-f', heartbeat).says(/2\.04/)
  })

  it('gets a list of 10 kB, whole', async () => {
    for (let id = 10; id < 22; id++)
      await ask('put', `mitigate/${CUID}/mid=${id}`, '-t', '271', '-f', body(manyPrefixes(id))).says(/2\.01/)
    const program = ask('get', `mitigate/${CUID}`)
    await program.says(/2001:db8:10::\/64/)
    await program.says(/2001:db8:21:39::\/64/)
  })

  it('ends it', async () => {
    await ask('delete', `mitigate/${CUID}/mid=1`).says(/2\.02/)
  })
})
