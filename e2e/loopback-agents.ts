import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DotsProcess, dots } from './dots-process.ts'
import type { Finished } from './dots-process.ts'

/** What one test wants of its server. */
export interface ServerWishes {
  /** Null: none is named. Default: one that the system chooses. */
  readonly port?: number | null
  /** Default: 127.0.0.1. */
  readonly address?: string
  /** YAML, as `[tcp]`. Default: both. */
  readonly transports?: string
}

/** What one test wants of its client. */
export interface ClientWishes {
  /** YAML. Default: `byCertificate`. */
  readonly credentials?: string
  /** YAML. Default: both. */
  readonly transports?: string
  /** YAML. Default: 127.0.0.1 alone. */
  readonly sources?: string
}

export const byCertificate =
  '{ certificate: pki/home.crt, privateKey: pki/home.key, trustAnchors: pki/ca.crt }'
export const byKey = '{ pskIdentity: branch, keyFile: branch.psk }'

/**
 * A `dots server` and a `dots client` on loopback, in a folder of their own. Of the clients that the server knows, `home`
 * comes with a certificate of their authority and owns 203.0.113.0/24, `branch` with a key and owns 198.51.100.0/24; the
 * client's site believes to own both.
 */
export class LoopbackAgents {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'breakwater-e2e-'))
  readonly serverSocket: string = join(this.folder, 'server.sock')
  readonly clientSocket: string = join(this.folder, 'client.sock')
  readonly #running: DotsProcess[] = []

  /** Before anything starts. @param strangers Have a certificate of the authority, too, and are no clients. */
  async certify(...strangers: readonly string[]): Promise<void> {
    const pki = join(this.folder, 'pki')
    await dots(['pki', 'init', pki])
    await dots(['pki', 'issue', 'server', '--server', '--dns', 'dots.isp-a.example', '--dir', pki])
    for (const name of ['home', ...strangers])
      await dots(['pki', 'issue', name, '--client', '--dns', `${name}.example`, '--dir', pki])
    chmodSync(this.write('branch.psk', 'a5'.repeat(32)), 0o600)
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  async startServer(
    wishes: ServerWishes = {}
  ): Promise<{ readonly server: DotsProcess; readonly listen: readonly string[]; readonly port: number }> {
    const server = new DotsProcess(['server', '--config', this.serverConfig(wishes)])
    this.#running.push(server)
    const { listen } = await server.ready()
    return { server, listen, port: Number(listen[0]?.split(':').at(-1)) }
  }

  async startClient(port: number, wishes: ClientWishes = {}): Promise<DotsProcess> {
    const client = this.start(this.#clientConfig(port, wishes))
    await client.ready()
    return client
  }

  /** A client with a configuration of its own. */
  start(config: string): DotsProcess {
    const client = new DotsProcess(['client', '--config', config])
    this.#running.push(client)
    return client
  }

  /** What an agent says of itself. */
  async status(socket: string, ...more: readonly string[]): Promise<unknown> {
    const { stdout } = await dots(['status', '--json', ...more, '--socket', socket])
    return JSON.parse(stdout)
  }

  protect(...args: readonly string[]): Promise<Finished> {
    return dots(['protect', ...args, '--json', '--wait', '--timeout', '20', '--socket', this.clientSocket])
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((process) => process.stop('SIGKILL')))
  }

  /** Kills them and what they remember. */
  async forget(): Promise<void> {
    await this.kill()
    for (const name of ['state', 'audit']) rmSync(join(this.folder, name), { recursive: true, force: true })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  serverConfig({ port = 0, address = '127.0.0.1', transports }: ServerWishes = {}): string {
    const place = [
      `address: ${address}`,
      ...(port === null ? [] : [`port: ${port}`]),
      ...(transports === undefined ? [] : [`transports: ${transports}`])
    ]
    return this.write(
      'server.yaml',
      `listen: [{ ${place.join(', ')} }]
credentials: { certificate: pki/server.crt, privateKey: pki/server.key, trustAnchors: pki/ca.crt }
preSharedKeys: [{ identity: branch, keyFile: branch.psk }]
clients:
  - { name: home, identity: { dnsName: home.example }, prefixes: [203.0.113.0/24] }
  - { name: branch, identity: { pskIdentity: branch }, prefixes: [198.51.100.0/24] }
mitigator: { kind: dry-run }
store: { path: state/server.db }
control: { socket: server.sock }
audit: { path: audit/requests.jsonl }
activeButTerminatingSeconds: 0
`
    )
  }

  #clientConfig(port: number, wishes: ClientWishes): string {
    const { credentials = byCertificate, transports, sources = '[127.0.0.1]' } = wishes
    const more = transports === undefined ? '' : `, transports: ${transports}`
    return this.write(
      'client.yaml',
      `domains:
  - name: isp-a
    prefixes: [203.0.113.0/24, 198.51.100.0/24]
    sources: ${sources}
    server: { name: dots.isp-a.example, addresses: [127.0.0.1], port: ${port}${more} }
    credentials: ${credentials}
control: { socket: client.sock }
store: { path: state/client.db }
`
    )
  }
}
