import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dots, until } from './dots-process.ts'
import type { DotsProcess } from './dots-process.ts'
import { LoopbackAgents, byCertificate, byKey } from './loopback-agents.ts'

/*
 *                 client process, whose configuration changes
 *   isp-a  127.0.0.1 ──┐                       one server process that is both providers':
 *                      ├── loopback ── DTLS ── home (certificate) owns 203.0.113.0/24,
 *   isp-b  127.0.0.2 ──┘                       branch (key) owns 198.51.100.0/24
 */
const agents = new LoopbackAgents()

interface Status {
  readonly protections: readonly { readonly id: string; readonly state: string; readonly missing: string[] }[]
  readonly sessions: readonly { readonly domain: string; readonly state: string }[]
}

const ispA = (prefix: string, port: number): string => `  - name: isp-a
    prefixes: [${prefix}]
    sources: [127.0.0.1]
    server: { name: dots.isp-a.example, addresses: [127.0.0.1], port: ${port} }
    credentials: ${byCertificate}
`
const ispB = (prefix: string, port: number): string => `  - name: isp-b
    prefixes: [${prefix}]
    sources: [127.0.0.2]
    server: { name: dots.isp-a.example, addresses: [127.0.0.1], port: ${port} }
    credentials: ${byKey}
`

function configure(domains: string, more = ''): string {
  return agents.write(
    'client.yaml',
    `site: { allowSharedServerAddresses: true }
domains:
${domains}control: { socket: client.sock }
store: { path: state/client.db }
${more}`
  )
}

async function start(domains: string): Promise<DotsProcess> {
  const client = agents.start(configure(domains))
  await client.ready()
  return client
}

function status(): Promise<Status> {
  return agents.status(agents.clientSocket) as Promise<Status>
}

async function stateOf(id: string): Promise<string | undefined> {
  return (await status()).protections.find((each) => each.id === id)?.state
}

/** Writes the configuration, says so, and waits for the log to speak of it. */
async function reload(client: DotsProcess, pid: number, event: string): Promise<Record<string, unknown>> {
  const lines = (): string[] => client.log.split('\n').filter((line) => line.includes(`"${event}"`))
  const before = lines().length
  process.kill(pid, 'SIGHUP')
  const line = await until(
    () => lines()[before],
    () => client.log
  )
  return JSON.parse(line) as Record<string, unknown>
}

beforeAll(() => agents.certify())
afterEach(() => agents.forget())
afterAll(() => agents.remove())

describe('a client whose configuration changes while it runs (SIGHUP)', () => {
  it('gets a provider, moves a prefix to it, and loses it again, with a live protection', async () => {
    const { port } = await agents.startServer()
    const client = await start(ispA('203.0.113.0/24', port))
    const { pid } = await client.ready()
    const asked = await agents.protect('203.0.113.7')
    const { protection } = JSON.parse(asked.stdout) as { protection: { id: string } }
    const refused = await agents.protect('198.51.100.7')
    expect(refused.stdout).toContain('belongs to no domain')

    configure(ispA('203.0.113.0/24', port) + ispB('198.51.100.0/24', port))
    const event = await reload(client, pid, 'config.reloaded')
    expect(event).toMatchObject({ added: ['isp-b'], removed: [], changed: [] })
    const other = await agents.protect('198.51.100.9')
    const { id } = (JSON.parse(other.stdout) as { protection: { id: string } }).protection
    expect(await stateOf(id)).toBe('protected')

    configure(ispA('203.0.113.0/24', port))
    expect(await reload(client, pid, 'config.reloaded')).toMatchObject({ removed: ['isp-b'] })
    await until(
      async () => ((await stateOf(id)) === 'refused' ? true : undefined),
      () => client.log
    )
    expect((await status()).protections.find((each) => each.id === id)?.missing.join()).toContain(
      '198.51.100.9/32 belongs to no domain of the site'
    )
    expect(await stateOf(protection.id)).toBe('protected')

    const why = await dots(['why', id, '--socket', agents.clientSocket])
    expect(why.code).toBe(0)
    expect(why.stdout).toContain(`protection ${id}`)
    expect(why.stdout).toMatch(/asks isp-b[^]*protected[^]*cause: the site has changed/)
    const unknown = await dots(['why', 'p-nobody', '--json', '--socket', agents.clientSocket])
    expect(unknown.code).not.toBe(0)
    expect(unknown.stdout + unknown.stderr).toContain('CONTROL_DECISIONS_UNKNOWN')
  })

  it('goes on as before where a mistake has got into it, and names the mistake', async () => {
    const { port } = await agents.startServer()
    const client = await start(ispA('203.0.113.0/24', port))
    const { pid } = await client.ready()
    await agents.protect('203.0.113.7')
    configure(ispA('203.0.113.0/24', port) + ispB('203.0.113.0/24', port))
    const event = await reload(client, pid, 'config.not_reloaded')
    expect(JSON.stringify(event)).toContain('203.0.113.0/24')
    const { sessions, protections } = await status()
    expect(sessions.map(({ domain, state }) => `${domain} ${state}`)).toEqual(['isp-a established'])
    expect(protections.map(({ state }) => state)).toEqual(['protected'])
  })

  it('says which options only a restart can change', async () => {
    const { port } = await agents.startServer()
    const client = await start(ispA('203.0.113.0/24', port))
    const { pid } = await client.ready()
    configure(ispA('203.0.113.0/24', port), 'reconnection: { firstRetrySeconds: 90 }\n')
    expect(await reload(client, pid, 'config.restart_needed')).toMatchObject({ options: ['reconnection'] })
  })
})
