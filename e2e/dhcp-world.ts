import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DotsProcess, dots } from './dots-process.ts'

const launcher = fileURLToPath(new URL('../packages/cli/bin/dots.mjs', import.meta.url))

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

/**
 *   client ns: dots client, a client of DHCP ── wan1 ══ cust ── provider ns: dnsmasq with DHCPv4, DHCPv6, advertisements,
 *                                                                            or dhcpd, which delegates prefixes
 *
 * The provider has 198.51.100.0/24 and 2001:db8:a::/64.
 */
export class DhcpWorld {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'breakwater-dhcp-'))
  readonly drop: string = join(this.folder, 'drop')
  readonly #name = `bw-dhcp-${process.pid}-${counter++}`
  readonly #children: ChildProcess[] = []
  #delegating: ChildProcess | undefined
  #client: DotsProcess | undefined

  constructor() {
    const { provider, site } = this
    for (const name of [provider, site]) {
      execFileSync('ip', ['netns', 'add', name])
      for (const scope of ['all', 'default'])
        execFileSync('ip', ['netns', 'exec', name, 'sysctl', '-qw', `net.ipv6.conf.${scope}.accept_dad=0`])
      this.ip(name, 'link', 'set', 'lo', 'up')
    }
    const link = `link add wan1 netns ${site} type veth peer name cust netns ${provider}`
    execFileSync('ip', link.split(' '))
    this.ip(provider, 'address', 'add', '198.51.100.1/24', 'dev', 'cust')
    this.ip(provider, 'address', 'add', '2001:db8:a::1/64', 'dev', 'cust', 'nodad')
    this.ip(provider, 'link', 'set', 'cust', 'up')
    this.ip(site, 'link', 'set', 'wan1', 'up')
  }

  get provider(): string {
    return `${this.#name}-p`
  }

  get site(): string {
    return `${this.#name}-s`
  }

  ip(namespace: string, ...words: readonly string[]): void {
    execFileSync('ip', ['-n', namespace, ...words], { stdio: 'pipe' })
  }

  /** @param ranges What the provider gives out. */
  startProvider(...ranges: readonly string[]): void {
    const lines = [
      'port=0',
      'interface=cust',
      'bind-interfaces',
      'user=root',
      'no-resolv',
      'no-ping',
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
    this.#run(this.provider, 'dnsmasq', '-k', '-C', this.write('dnsmasq.conf', lines.join('\n')), '-x', '')
  }

  /** `dots client` in the site, which learns everything of `isp-a` by wan1. */
  async startClient(): Promise<DotsProcess> {
    chmodSync(this.write('own.psk', 'a5'.repeat(32)), 0o600)
    const config = this.write(
      'client.yaml',
      `domains:
  - name: isp-a
    interfaces: [wan1]
    learn: {}
    server: { name: dots.isp-a.example, addresses: [198.51.100.1], transports: [udp] }
    credentials: { pskIdentity: home, keyFile: own.psk }
provisioning: { dropDirectory: drop }
control: { socket: client.sock }
`
    )
    const prefix = ['ip', 'netns', 'exec', this.site]
    this.#client = new DotsProcess(['client', '--config', config], {}, prefix)
    await this.#client.ready()
    return this.#client
  }

  /**
   * The provider delegates this prefix, for fifteen seconds at a time, and no other one any more. It is a server that knows nothing of
   * those before.
   */
  async startDelegation(prefix: string): Promise<void> {
    const [address = '', length = ''] = prefix.split('/')
    const lines = [
      'default-lease-time 15;',
      'preferred-lifetime 12;',
      'option dhcp-renewal-time 3;',
      'option dhcp-rebinding-time 5;',
      'authoritative;',
      `subnet6 2001:db8:a::/64 { prefix6 ${address} ${address} /${length}; }`
    ]
    if (this.#delegating !== undefined) await killed(this.#delegating)
    rmSync(join(this.folder, 'dhcpd.leases~'), { force: true })
    const leases = this.write('dhcpd.leases', '')
    const config = this.write('dhcpd.conf', lines.join('\n'))
    const words = ['-6', '-f', '-cf', config, '-lf', leases, '--no-pid', 'cust']
    this.#delegating = this.#run(this.provider, 'dhcpd', ...words)
  }

  /** `udhcpc`, whose hook is `dots provision`. */
  startUdhcpc(): ChildProcess {
    const words = ['-i', 'wan1', '-f', '-t', '9', '-T', '2', '-O', 'search', '-s', this.#hook('udhcpc')]
    return this.#run(this.site, 'udhcpc', ...words)
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
    return this.#run(this.site, 'sh', '-c', [...apart, `exec ${command.join(' ')}`].join(' && '))
  }

  /** `dhclient` with the script of its package, which calls `dots provision` from the folder for that. */
  startDhclient(...options: readonly string[]): ChildProcess {
    const hooks = join(this.folder, 'hooks')
    mkdirSync(hooks, { recursive: true })
    const line = `${this.#provision('dhclient')} >> ${this.folder}/hook.log 2>&1 || true\n`
    chmodSync(this.write('hooks/breakwater', line), 0o755)
    const apart = [
      `mount --bind ${hooks} /etc/dhcp/dhclient-exit-hooks.d`,
      `mount --bind ${this.write('resolv.conf', '')} /etc/resolv.conf`
    ]
    const files = `-lf ${this.folder}/dhclient.leases -pf ${this.folder}/dhclient.pid`
    const command = `exec dhclient -d ${files} ${options.join(' ')} wan1`
    return this.#run(this.site, 'sh', '-c', [...apart, command].join(' && '))
  }

  #provision(client: string): string {
    return `${process.execPath} ${launcher} provision --client ${client} --directory ${this.drop}`
  }

  #hook(client: string): string {
    const log = `${this.folder}/hook.log`
    const hook = this.write('hook', `#!/bin/sh\nexec ${this.#provision(client)} "$@" >> ${log} 2>&1\n`)
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
    await this.#client?.stop('SIGKILL')
    const ended = this.#children
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
      .map((child) => new Promise((resolve) => child.once('close', resolve)))
    // dhcpcd has helpers, which outlive it where it has no time to take leave of them.
    for (const name of [this.provider, this.site])
      for (const pid of execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).split('\n'))
        if (pid.trim() !== '') kill(Number(pid))
    await Promise.all(ended)
    this.close()
  }

  close(): void {
    for (const name of [this.provider, this.site]) execFileSync('ip', ['netns', 'del', name])
    rmSync(this.folder, { recursive: true, force: true })
  }

  #run(namespace: string, ...words: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', namespace, ...words], { stdio: 'ignore' })
    this.#children.push(child)
    return child
  }
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
