import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dots, until } from './dots-process.ts'
import type { DotsProcess } from './dots-process.ts'
import { LoopbackAgents, byCertificate } from './loopback-agents.ts'

/**
 *   client process ── DTLS on 127.0.0.1 ── server process
 *        │
 *        └── DNS on 127.0.83.1:53 ── dnsmasq, which knows the names of the site
 */
const agents = new LoopbackAgents()
const NAME_SERVER = '127.0.83.1'
let names: ChildProcess | undefined

/** Answers for these names and no others; none of its answers is good for longer than a second. */
async function startNameServer(
  ...hosts: readonly (readonly [name: string, address: string])[]
): Promise<void> {
  const records = hosts.map(([name, address]) => `--host-record=${name},${address},1`)
  const own = [
    '--keep-in-foreground',
    '--no-resolv',
    '--no-hosts',
    '--no-daemon',
    '--pid-file=',
    '--conf-file=/dev/null'
  ]
  const place = [`--listen-address=${NAME_SERVER}`, '--bind-interfaces', '--local=/example.net/']
  names = spawn('dnsmasq', [...own, ...place, ...records], { stdio: 'ignore' })
  await once(names, 'spawn')
}

async function stopNameServer(): Promise<void> {
  if (names === undefined || names.exitCode !== null) return
  names.kill()
  await once(names, 'exit')
  names = undefined
}

async function startClient(port: number): Promise<DotsProcess> {
  const config = agents.write(
    'client.yaml',
    `domains:
  - name: isp-a
    prefixes: [203.0.113.0/24]
    sources: [127.0.0.1]
    server: { name: dots.isp-a.example, addresses: [127.0.0.1], port: ${port} }
    credentials: ${byCertificate}
site:
  resolver: { kind: plain, servers: [${NAME_SERVER}] }
  aliases:
    - { name: shop, fqdns: [www.example.net], ports: [{ lower: 443 }], protocols: [6] }
control: { socket: client.sock }
store: { path: state/client.db }
`
  )
  const client = agents.start(config)
  await client.ready()
  return client
}

interface Mitigations {
  readonly mitigations: readonly { readonly state: string; readonly target: Record<string, unknown> }[]
}

async function mitigated(): Promise<Mitigations['mitigations']> {
  return ((await agents.status(agents.serverSocket)) as Mitigations).mitigations
}

async function plan(
  ...args: readonly string[]
): Promise<{ code: number | null; answer: Record<string, unknown> }> {
  const { code, stdout } = await dots(['plan', ...args, '--json', '--socket', agents.clientSocket])
  return { code, answer: JSON.parse(stdout) as Record<string, unknown> }
}

beforeAll(() => agents.certify())
afterEach(async () => {
  await agents.forget()
  await stopNameServer()
})
afterAll(() => agents.remove())

describe('a client whose targets have names', () => {
  it('plans and protects what they mean, by name, URI and alias', async () => {
    await startNameServer(['www.example.net', '203.0.113.7'], ['other.example.net', '192.0.2.7'])
    const { port } = await agents.startServer()
    await startClient(port)
    const found = await until(
      async () => {
        const planned = await plan('--fqdn', 'www.example.net')
        return planned.code === 0 ? planned : undefined
      },
      () => 'dnsmasq does not answer'
    )
    expect(found.answer).toMatchObject({
      verdict: 'placed',
      names: [{ name: 'www.example.net', state: 'resolved', addresses: ['203.0.113.7'] }],
      parts: [{ prefixes: ['203.0.113.7/32'], asked: [{ server: 'isp-a' }] }]
    })
    const offline = await plan('--alias', 'shop', '--offline')
    expect(offline).toMatchObject({ code: 1, answer: { error: { code: 'CONTROL_NAMES_OFFLINE' } } })
    const misspelt = await plan('--alias', 'shpo')
    expect(misspelt.answer).toMatchObject({
      error: { message: 'the site has no alias "shpo"; did you mean "shop"?' }
    })

    const foreign = await agents.protect('--fqdn', 'other.example.net')
    expect(foreign.code).toBe(3)
    expect(JSON.parse(foreign.stdout)).toMatchObject({ accepted: false, plan: { verdict: 'refused' } })
    expect(await mitigated()).toEqual([])

    const asked = await agents.protect('--alias', 'shop', '--uri', 'http://www.example.net/')
    expect(asked.code, asked.stdout).toBe(0)
    expect(JSON.parse(asked.stdout)).toMatchObject({
      protection: {
        state: 'protected',
        named: { fqdns: [], uris: ['http://www.example.net/'], aliases: ['shop'] },
        names: [{ name: 'www.example.net', addresses: ['203.0.113.7'] }]
      }
    })
    // Of two requests for one address a server keeps the later one only: so it is one, with the ports of both.
    expect(await mitigated()).toMatchObject([
      {
        state: 'active',
        target: {
          prefixes: ['203.0.113.7/32'],
          ports: [
            { lower: 80, upper: 80 },
            { lower: 443, upper: 443 }
          ],
          protocols: [6]
        }
      }
    ])
  })

  it('go on with what they meant when it starts again and nobody knows them', async () => {
    await startNameServer(['www.example.net', '203.0.113.7'])
    const { port } = await agents.startServer()
    const client = await startClient(port)
    const asked = await agents.protect('--fqdn', 'www.example.net')
    expect(asked.code, asked.stdout).toBe(0)
    const { protection } = JSON.parse(asked.stdout) as { protection: { id: string } }
    await stopNameServer()
    await client.stop()
    await startClient(port)
    const view = await until(
      async () => {
        const status = (await agents.status(agents.clientSocket)) as {
          protections: readonly { id: string; state: string; names: readonly { state: string }[] }[]
        }
        const found = status.protections.find(({ id }) => id === protection.id)
        return found?.state === 'protected' && found.names[0]?.state === 'kept' ? found : undefined
      },
      () => 'the protection was not taken up'
    )
    expect(view).toMatchObject({ alarm: true, names: [{ addresses: ['203.0.113.7'] }] })
    expect(await mitigated()).toHaveLength(1)
  })
})
