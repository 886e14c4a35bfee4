import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ControlClient } from '@breakwater/control'
import { socketTransport } from '@breakwater/cli'
import { DotsProcess } from './dots-process.ts'
import { RawPeer } from './raw-peer.ts'

/** What one test wants of its server. */
export interface ServerWishes {
  /** YAML. Default: dry-run. */
  readonly mitigator?: string
  /** YAML. Default: a port of 127.0.0.1 that the system chooses. */
  readonly listen?: string
  /** More lines of YAML. */
  readonly more?: string
  /** Where the SQLite file is; default below the folder. */
  readonly storePath?: string
  /** Other servers have the same store (RFC 9284 §5.4). */
  readonly sharesStore?: boolean
  readonly environment?: Readonly<Record<string, string>>
  readonly prefix?: readonly string[]
}

/** Identities with keys of their own; `stranger` has a key and is no client. */
const identities = ['home', 'branch', 'stranger'] as const
export type Identity = (typeof identities)[number]

function keyOf(identity: Identity): Uint8Array {
  return new Uint8Array(32).fill(0x10 + identities.indexOf(identity))
}

/**
 * A folder with the configuration of a `dots server` whose clients have pre-shared keys: `home` owns 203.0.113.0/24 and
 * 2001:db8:1::/48, `branch` owns 198.51.100.0/24. Its process can be killed and started again on the same port.
 */
export class PskServer {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'breakwater-bad-'))
  readonly control: ControlClient = new ControlClient(socketTransport(join(this.folder, 'server.sock')))
  readonly auditPath: string = join(this.folder, 'audit.jsonl')
  port = 0
  pid = 0
  process: DotsProcess | undefined
  readonly #wishes: ServerWishes

  constructor(wishes: ServerWishes = {}) {
    this.#wishes = wishes
    for (const identity of identities) {
      const file = join(this.folder, `${identity}.psk`)
      writeFileSync(file, Buffer.from(keyOf(identity)).toString('hex'))
      chmodSync(file, 0o600)
    }
  }

  get storePath(): string {
    return this.#wishes.storePath ?? join(this.folder, 'server.db')
  }

  async start(): Promise<void> {
    const config = join(this.folder, 'server.yaml')
    writeFileSync(config, this.#configuration())
    const { environment, prefix } = this.#wishes
    this.process = new DotsProcess(['server', '--config', config], environment, prefix)
    const { listen, pid } = await this.process.ready()
    this.port = Number(listen[0]?.split(':').at(-1))
    this.pid = pid
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await this.process?.stop('SIGKILL')
    this.process = undefined
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Rejects early when the server's process ends. */
  connect(identity: Identity, mtu?: number): Promise<RawPeer> {
    return RawPeer.connect(this.port, identity, keyOf(identity), mtu, this.process?.finished())
  }

  async counter(name: string): Promise<number> {
    return (await this.control.counters())[name] ?? 0
  }

  /** The keys of all stored records. Only while no server runs: it keeps its file to itself. */
  storedKeys(): string[] {
    const database = new DatabaseSync(this.storePath)
    try {
      const rows = database.prepare('SELECT key FROM record ORDER BY key').all()
      return rows.map((row) => String(row['key']))
    } finally {
      database.close()
    }
  }

  #configuration(): string {
    const { mitigator = '{ kind: dry-run }', more = '', sharesStore = false } = this.#wishes
    const { listen = `[{ address: 127.0.0.1, port: ${this.port} }]` } = this.#wishes
    return `listen: ${listen}
preSharedKeys:
${identities.map((name) => `  - { identity: ${name}, keyFile: ${name}.psk }`).join('\n')}
clients:
  - { name: home, identity: { pskIdentity: home }, prefixes: [203.0.113.0/24, '2001:db8:1::/48'] }
  - { name: branch, identity: { pskIdentity: branch }, prefixes: [198.51.100.0/24] }
mitigator: ${mitigator}
store: { path: ${this.storePath}, shared: ${sharesStore} }
control: { socket: server.sock }
audit: { path: audit.jsonl }
${more}
`
  }
}
