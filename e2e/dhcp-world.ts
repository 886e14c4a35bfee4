import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { socketTransport } from '@breakwater/cli'
import { ControlClient } from '@breakwater/control'
import { DotsProcess, dots } from './dots-process.ts'

const launcher = fileURLToPath(new URL('../packages/cli/bin/dots.mjs', import.meta.url))

/** The site has it from nobody (PI): every provider announces it. */
const OWN_PREFIX = '198.18.7.0/24'

/** What one test wants of its client. */
export interface ClientWishes {
  /** What `isp-a` translates, should it be assigned: internal and external prefix. */
  readonly translations?: readonly (readonly [internal: string, external: string])[]
}

/** Why there can be no such world here; undefined when there can. */
export function obstacleOf(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  try {
    for (const program of ['dnsmasq', 'dhcpd', 'udhcpc', 'dhcpcd', 'dhclient', 'rdisc6'])
      execFileSync('sh', ['-c', `command -v ${program}`])
    new DhcpWorld().close()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** What every dnsmasq of this world goes by: it serves the link to the site, and no names. */
const DHCP_ONLY = ['port=0', 'interface=cust', 'bind-interfaces', 'user=root', 'no-resolv', 'no-ping']

/**
 *   client ns: dots client, a client of DHCP ── wan1 ══ cust ── provider ns: dnsmasq with DHCPv4, DHCPv6, advertisements,
 *                                           └── wan2 ══ cust ─┐              or dhcpd, which delegates prefixes
 *                                                             └ next provider ns: dnsmasq with DHCPv4
 *
 * The provider has 198.51.100.0/24 and 2001:db8:a::/64, the next one 203.0.113.0/24.
 */
export class DhcpWorld {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'breakwater-dhcp-'))
  readonly drop: string = join(this.folder, 'drop')
  readonly #name = `bw-dhcp-${process.pid}-${counter++}`
  readonly control: ControlClient = new ControlClient(socketTransport(join(this.folder, 'client.sock')))
  readonly #children: ChildProcess[] = []
  readonly #servers: DotsProcess[] = []
  #leasing: ChildProcess | undefined
  #client: DotsProcess | undefined

  constructor() {
    const { provider, nextProvider, site } = this
    for (const name of this.#namespaces) {
      execFileSync('ip', ['netns', 'add', name])
      for (const scope of ['all', 'default'])
        execFileSync('ip', ['netns', 'exec', name, 'sysctl', '-qw', `net.ipv6.conf.${scope}.accept_dad=0`])
      this.ip(name, 'link', 'set', 'lo', 'up')
    }
    for (const [wan, end] of [
      ['wan1', provider],
      ['wan2', nextProvider]
    ] as const) {
      const link = `link add ${wan} netns ${site} type veth peer name cust netns ${end}`
      execFileSync('ip', link.split(' '))
      this.ip(end, 'link', 'set', 'cust', 'up')
      this.ip(site, 'link', 'set', wan, 'up')
    }
    this.ip(provider, 'address', 'add', '198.51.100.1/24', 'dev', 'cust')
    this.ip(provider, 'address', 'add', '2001:db8:a::1/64', 'dev', 'cust', 'nodad')
    this.ip(nextProvider, 'address', 'add', '203.0.113.1/24', 'dev', 'cust')
  }

  get provider(): string {
    return `${this.#name}-p`
  }

  get nextProvider(): string {
    return `${this.#name}-n`
  }

  get site(): string {
    return `${this.#name}-s`
  }

  get #namespaces(): readonly string[] {
    return [this.provider, this.nextProvider, this.site]
  }

  ip(namespace: string, ...words: readonly string[]): void {
    execFileSync('ip', ['-n', namespace, ...words], { stdio: 'pipe' })
  }

  /** @param ranges What the provider gives out. */
  startProvider(...ranges: readonly string[]): void {
    const lines = [
      ...DHCP_ONLY,
      `dhcp-leasefile=${this.folder}/dnsmasq.leases`,
      ...ranges.map((range) => `dhcp-range=${range}`),
      'enable-ra',
      'ra-param=cust,10,1800',
      'dhcp-option=option:dns-server,198.51.100.53',
      'dhcp-option=option:domain-search,isp-a.example',
      'dhcp-option=option6:dns-server,[2001:db8:a::53]',
      'dhcp-option=option6:domain-search,isp-a.example',
      `log-facility=${this.folder}/dnsmasq.log`
    ]
    this.run(this.provider, 'dnsmasq', '-k', '-C', this.write('dnsmasq.conf', lines.join('\n')), '-x', '')
  }

  /** The next provider gives out these addresses. */
  startNextProvider(range: string): void {
    const lines = [...DHCP_ONLY, `dhcp-leasefile=${this.folder}/next.leases`, `dhcp-range=${range}`]
    this.run(this.nextProvider, 'dnsmasq', '-k', '-C', this.write('next.conf', lines.join('\n')), '-x', '')
  }

  /** `dots client` in the site, which learns everything of `isp-a` by wan1, and of `isp-b` by wan2. */
  async startClient({ translations = [] }: ClientWishes = {}): Promise<DotsProcess> {
    this.#writeKey()
    const pairs = translations.map(
      ([internal, external]) => `{ internal: ${internal}, external: ${external} }`
    )
    const internal = [...new Set(translations.map(([each]) => each))]
    const config = this.write(
      'client.yaml',
      `site: { providerIndependent: [{ prefix: ${OWN_PREFIX} }], internal: [${internal.join(', ')}] }
domains:
  - name: isp-a
    interfaces: [wan1]
    learn: {}
    translations: [${pairs.join(', ')}]
    server: { name: dots.isp-a.example, addresses: [198.51.100.1], transports: [udp] }
    credentials: { pskIdentity: home, keyFile: own.psk }
  - name: isp-b
    interfaces: [wan2]
    learn: {}
    server: { name: dots.isp-b.example, addresses: [203.0.113.1], transports: [udp] }
    credentials: { pskIdentity: home, keyFile: own.psk }
provisioning: { dropDirectory: drop }
control: { socket: client.sock }
`
    )
    this.#client = new DotsProcess(['client', '--config', config], {}, this.#at(this.site))
    await this.#client.ready()
    return this.#client
  }

  /** The DOTS servers of both providers, which answer the client for what each may ever assign, and for the site's own prefix. */
  async startServers(): Promise<void> {
    this.#writeKey()
    const own = [
      {
        name: 'isp-a',
        at: this.provider,
        address: '198.51.100.1',
        prefixes: ['198.51.100.0/24', '2001:db8::/32']
      },
      { name: 'isp-b', at: this.nextProvider, address: '203.0.113.1', prefixes: ['203.0.113.0/24'] }
    ]
    await Promise.all(
      own.map(async ({ name, at, address, prefixes }) => {
        const config = this.write(
          `${name}.yaml`,
          `listen: [{ address: ${address} }]
preSharedKeys: [{ identity: home, keyFile: own.psk }]
clients: [{ name: home, identity: { pskIdentity: home }, prefixes: ${JSON.stringify([...prefixes, OWN_PREFIX])} }]
mitigator: { kind: dry-run }
store: { path: ${name}.db }
control: { socket: ${name}.sock }
audit: { path: ${name}.jsonl }
`
        )
        const server = new DotsProcess(['server', '--config', config], {}, this.#at(at))
        this.#servers.push(server)
        await server.ready()
      })
    )
  }

  /**
   * What the server of a provider heard so far and granted: `PUT 2001:db8:b00:7::1/128`, `DELETE 2001:db8:b00:7::1/128`. Copies and what
   * prolongs are left out.
   */
  heard(provider: 'isp-a' | 'isp-b'): string[] {
    const lines = readFileSync(join(this.folder, `${provider}.jsonl`), 'utf8').split('\n')
    // The last line may be half written.
    lines.pop()
    const targets = new Map<number, string>()
    return lines.flatMap((line) => {
      const { method, mitigationId, outcome, targets: asked } = JSON.parse(line) as Audited
      if (method === 'PUT') targets.set(mitigationId, asked.join(' '))
      return outcome === 'refreshed' ? [] : [`${method} ${targets.get(mitigationId)} ${outcome}`]
    })
  }

  /** Whether the client has a session with the server of this provider. */
  async hasSession(provider: string): Promise<boolean> {
    const sessions = await this.control.sessions()
    return sessions.some(({ peer, state }) => peer.startsWith(provider) && state === 'established')
  }

  /**
   * The provider delegates this prefix, for fifteen seconds at a time, and no other one any more. It is a server that knows nothing of
   * those before.
   */
  startDelegation(prefix: string): Promise<void> {
    const [address = '', length = ''] = prefix.split('/')
    return this.#startDhcpd('-6', [
      'preferred-lifetime 12;',
      `subnet6 2001:db8:a::/64 { prefix6 ${address} ${address} /${length}; }`
    ])
  }

  /** The same with this address of DHCPv4. */
  startLeasing(address: string): Promise<void> {
    return this.#startDhcpd('-4', [
      'ping-check false;',
      'max-lease-time 15;',
      `subnet 198.51.100.0 netmask 255.255.255.0 { range ${address} ${address}; }`
    ])
  }

  async #startDhcpd(family: '-4' | '-6', lines: readonly string[]): Promise<void> {
    const all = [
      'default-lease-time 15;',
      'option dhcp-renewal-time 3;',
      'option dhcp-rebinding-time 5;',
      'authoritative;',
      ...lines
    ]
    if (this.#leasing !== undefined) await killed(this.#leasing)
    rmSync(join(this.folder, 'dhcpd.leases~'), { force: true })
    const leases = this.write('dhcpd.leases', '')
    const config = this.write('dhcpd.conf', all.join('\n'))
    const words = [family, '-f', '-cf', config, '-lf', leases, '--no-pid', 'cust']
    this.#leasing = this.run(this.provider, 'dhcpd', ...words)
  }

  /** `udhcpc`, whose hook is `dots provision`. */
  startUdhcpc(): ChildProcess {
    const words = ['-i', 'wan1', '-f', '-t', '9', '-T', '2', '-O', 'search', '-s', this.#hook('udhcpc')]
    return this.run(this.site, 'udhcpc', ...words)
  }

  /**
   * `dhcpcd`, whose hook is `dots provision`; without udev, which no namespace has, and without probes for a second holder of
   * the address, of which there is none.
   */
  startDhcpcd(...options: readonly string[]): ChildProcess {
    const all = ['nodev', 'noarp', 'option domain_name_servers, dhcp6_name_servers', ...options]
    const config = this.write('dhcpcd.conf', `${all.join('\n')}\n`)
    const command = ['dhcpcd', '-B', '-f', config, '-c', this.#hook('dhcpcd'), 'wan1']
    // It finds its like and its last lease by the name of the interface, which others on this host may have, too. Mounts
    // within `ip netns exec` are its own.
    const folders = ['/run/dhcpcd', '/var/lib/dhcpcd']
    const apart = folders.map((folder) => `mkdir -p ${folder} && mount -t tmpfs none ${folder}`)
    return this.run(this.site, 'sh', '-c', [...apart, `exec ${command.join(' ')}`].join(' && '))
  }

  /** `dhclient` with the script of its package, which calls `dots provision` from the folder for that. */
  startDhclient(options: readonly string[], wan = 'wan1'): ChildProcess {
    const hooks = join(this.folder, 'hooks')
    mkdirSync(hooks, { recursive: true })
    const line = `${this.provision('dhclient')} >> ${this.folder}/hook.log 2>&1 || true\n`
    chmodSync(this.write('hooks/breakwater', line), 0o755)
    const apart = [
      `mount --bind ${hooks} /etc/dhcp/dhclient-exit-hooks.d`,
      `mount --bind ${this.write('resolv.conf', '')} /etc/resolv.conf`
    ]
    const files = `-lf ${this.folder}/${wan}.leases -pf ${this.folder}/${wan}.pid`
    const command = `exec dhclient -d ${files} ${options.join(' ')} ${wan}`
    return this.run(this.site, 'sh', '-c', [...apart, command].join(' && '))
  }

  #writeKey(): void {
    chmodSync(this.write('own.psk', 'a5'.repeat(32)), 0o600)
  }

  /** What stands before a command for it to run in a namespace. */
  #at(namespace: string): readonly string[] {
    return ['ip', 'netns', 'exec', namespace]
  }

  /** The command that a client of DHCP has to call. */
  provision(client: string): string {
    return `${process.execPath} ${launcher} provision --client ${client} --directory ${this.drop}`
  }

  #hook(client: string): string {
    const log = `${this.folder}/hook.log`
    const hook = this.write('hook', `#!/bin/sh\nexec ${this.provision(client)} "$@" >> ${log} 2>&1\n`)
    chmodSync(hook, 0o755)
    return hook
  }

  /** Whether the client would ask somebody to protect this. */
  async canProtect(target: string): Promise<boolean> {
    const { code } = await dots(['plan', target, '--socket', join(this.folder, 'client.sock')])
    return code === 0
  }

  /** The addresses of the site, as `ip` shows them. */
  addresses(): string {
    return execFileSync('ip', ['-n', this.site, '-oneline', 'address'], { encoding: 'utf8' })
  }

  /** How often the site asked the provider for an advertisement. */
  solicitations(): number {
    return readFileSync(join(this.folder, 'dnsmasq.log'), 'utf8').split('RTR-SOLICIT').length - 1
  }

  /** `prefix 198.51.100.11/32 dhcpv4 used` for everything that the client knows of isp-a. */
  async facts(): Promise<string[]> {
    const { stdout } = await dots(['domains', '--json', '--socket', join(this.folder, 'client.sock')])
    const { domains } = JSON.parse(stdout) as Domains
    return (domains[0]?.facts ?? []).map(
      ({ kind, text, origin, state }) => `${kind} ${text} ${origin} ${state}`
    )
  }

  /** What hooks have in the drop directory. */
  told(): string[] {
    return readdirSync(this.drop)
  }

  /** The local addresses from which the client would go to its server. */
  async sources(): Promise<string[]> {
    const { stdout } = await dots(['path', 'list', '--json', '--socket', join(this.folder, 'client.sock')])
    return [...new Set([...stdout.matchAll(/"source":\s*"([^"]+)"/g)].map(([, source]) => source ?? ''))]
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  async end(): Promise<void> {
    const agents = this.#client === undefined ? this.#servers : [this.#client, ...this.#servers]
    await Promise.all(agents.map((agent) => agent.stop('SIGKILL')))
    const ended = this.#children
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
      .map((child) => new Promise((resolve) => child.once('close', resolve)))
    // dhcpcd has helpers, which outlive it where it has no time to take leave of them.
    for (const name of this.#namespaces)
      for (const pid of execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).split('\n'))
        if (pid.trim() !== '') kill(Number(pid))
    await Promise.all(ended)
    this.close()
  }

  close(): void {
    for (const name of this.#namespaces) execFileSync('ip', ['netns', 'del', name])
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** A process in a namespace, which ends with the world. */
  run(namespace: string, ...words: readonly string[]): ChildProcess {
    const [program = '', ...rest] = [...this.#at(namespace), ...words]
    const child = spawn(program, rest, { stdio: 'ignore' })
    this.#children.push(child)
    return child
  }
}

/** A line of a server's audit file. */
interface Audited {
  readonly method: string
  readonly mitigationId: number
  readonly outcome: string
  readonly targets: readonly string[]
}

interface Domains {
  readonly domains: readonly {
    readonly facts: readonly {
      readonly kind: string
      readonly text: string
      readonly origin: string
      readonly state: string
    }[]
  }[]
}

/** Ends one that `ip netns exec` has become. */
export function killed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve())
    child.kill('SIGKILL')
  })
}

/** One that has just ended by itself is as good. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // See above.
  }
}

let counter = 0
