import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'

import { end, run, runOrThrow } from './command.ts'

/** One host of the lab: a network namespace with the processes that run in it. */
export class Namespace {
  /** Name in `ip netns`. */
  readonly name: string
  readonly #processes = new Set<ChildProcess>()

  private constructor(name: string) {
    this.name = name
  }

  /** Makes the namespace, with forwarding as asked and nothing that needs settling (no DAD, IPv4 and IPv6 up). */
  static async create(name: string, options: { readonly router?: boolean } = {}): Promise<Namespace> {
    await runOrThrow(['ip', 'netns', 'add', name])
    const namespace = new Namespace(name)
    try {
      await namespace.#settle(options.router === true ? '1' : '0')
    } catch (error) {
      await namespace.destroy()
      throw error
    }
    return namespace
  }

  async #settle(forward: '0' | '1'): Promise<void> {
    await this.exec([
      'sysctl',
      '-qw',
      'net.ipv6.conf.all.accept_dad=0',
      'net.ipv6.conf.default.accept_dad=0',
      `net.ipv4.ip_forward=${forward}`,
      `net.ipv6.conf.all.forwarding=${forward}`,
      // BBR, the default of some kernels, hides the damage that a flood does; Reno is allowed in every namespace.
      'net.ipv4.tcp_congestion_control=reno'
    ])
  }

  /** Runs a command inside to its end; throws when it fails. */
  exec(command: readonly string[], options: { readonly input?: string } = {}): Promise<string> {
    return runOrThrow(['ip', 'netns', 'exec', this.name, ...command], options)
  }

  /** Applies `ip` commands, one a line. */
  async ip(lines: readonly string[]): Promise<void> {
    await runOrThrow(['ip', '-n', this.name, '-batch', '-'], { input: `${lines.join('\n')}\n` })
  }

  /** Applies an nftables script. */
  async nft(script: string): Promise<void> {
    await runOrThrow(['sh', '-c', `cat | ip netns exec ${this.name} nft -f -`], { input: script })
  }

  /** Starts a process inside, as leader of a group of its own; it is ended with the namespace. */
  start(command: readonly string[], stdio: StdioOptions = ['ignore', 'pipe', 'pipe']): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.name, ...command], { stdio, detached: true })
    this.#processes.add(child)
    child.on('exit', () => this.#processes.delete(child))
    return child
  }

  /** Ends what runs inside, then the namespace with its links. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#processes].map((child) => end(child)))
    await run(['ip', 'netns', 'del', this.name])
  }
}

/** Why namespaces cannot be made here; undefined when they can. */
export async function obstacleToNamespaces(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'not root'
  const name = `bw-probe-${process.pid}`
  const made = await run(['ip', 'netns', 'add', name]).catch((error: unknown) => ({
    code: 1,
    stderr: String(error)
  }))
  if (made.code !== 0) return `ip netns add: ${made.stderr.trim()}`
  const nft = await run(['ip', 'netns', 'exec', name, 'nft', 'list', 'ruleset'])
  await run(['ip', 'netns', 'del', name])
  return nft.code === 0 ? undefined : `nft: ${nft.stderr.trim()}`
}
