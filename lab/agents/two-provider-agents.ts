import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { runOrThrow } from '../backends/netns/command.ts'
import { dots } from './agent-process.ts'

/** The longest that RFC 8305 §5 recommends. */
const ATTEMPT_DELAY_MILLISECONDS = 2000

/** Where the agents of `two-providers` listen and what they may use; the backends differ in nothing else. */
export interface TwoProviderAgents {
  readonly servers: readonly ServerPlace[]
  /** `nftables` needs root; `dry-run` says what it would do. */
  readonly mitigator: 'nftables' | 'dry-run'
}

export interface ServerPlace {
  /** Name of the provider and of its domain at the client. */
  readonly provider: string
  readonly address: string
  /** The prefix that the provider assigned to the site: what the client may ask it to protect. */
  readonly prefix: string
  /** The client's address towards this provider, and the interface that holds it. */
  readonly clientSource: string
  readonly clientInterface: string | undefined
}

/** The files of one agent. */
export interface AgentFiles {
  readonly config: string
  readonly socket: string
  /** What the auditor of its traffic found. */
  readonly pacing: string
}

export interface TwoProviderFiles {
  readonly client: AgentFiles
  readonly servers: ReadonlyMap<string, AgentFiles & { readonly transcript: string }>
}

/** Issues certificates, one authority a provider, and writes the configuration of every agent below `folder`. */
export async function writeTwoProviderFiles(
  folder: string,
  agents: TwoProviderAgents
): Promise<TwoProviderFiles> {
  await Promise.all(agents.servers.map((place) => issueCertificates(folder, place)))
  const servers = agents.servers.map((place) => [place.provider, writeServer(folder, place, agents)] as const)
  return { client: writeClient(folder, agents), servers: new Map(servers) }
}

/** Each provider certifies its own server and the site's client: credentials of one mean nothing to the other. */
async function issueCertificates(folder: string, { provider }: ServerPlace): Promise<void> {
  const pki = join(folder, provider)
  mkdirSync(pki, { recursive: true })
  await runOrThrow([...dots, 'pki', 'init', pki])
  await runOrThrow([...dots, 'pki', 'issue', 'server', '--server', '--dns', nameOf(provider), '--dir', pki])
  await runOrThrow([
    ...dots,
    'pki',
    'issue',
    'client',
    '--client',
    '--dns',
    `home.${provider}.example`,
    '--dir',
    pki
  ])
}

function nameOf(provider: string): string {
  return `dots.${provider}.example`
}

function credentials(folder: string, provider: string, who: 'server' | 'client'): object {
  const file = (name: string): string => join(folder, provider, name)
  return { certificate: file(`${who}.crt`), privateKey: file(`${who}.key`), trustAnchors: file('ca.crt') }
}

function writeServer(
  folder: string,
  place: ServerPlace,
  { mitigator }: TwoProviderAgents
): AgentFiles & { transcript: string } {
  const file = (name: string): string => join(folder, place.provider, name)
  const transcript = file('audit.jsonl')
  const socket = file('control.sock')
  const config = writeConfig(file('server.yaml'), {
    listen: [{ address: place.address }],
    credentials: credentials(folder, place.provider, 'server'),
    clients: [
      { name: 'home', identity: { dnsName: `home.${place.provider}.example` }, prefixes: [place.prefix] }
    ],
    mitigator: mitigator === 'nftables' ? { kind: 'nftables', hook: 'forward' } : { kind: 'dry-run' },
    store: { path: file('store.db') },
    control: { socket },
    audit: { path: transcript }
  })
  return { config, socket, transcript, pacing: file('pacing.json') }
}

function writeClient(folder: string, { servers }: TwoProviderAgents): AgentFiles {
  const socket = join(folder, 'client.sock')
  const config = writeConfig(join(folder, 'client.yaml'), {
    domains: servers.map((place) => ({
      name: place.provider,
      ...(place.clientInterface === undefined ? {} : { interfaces: [place.clientInterface] }),
      sources: [place.clientSource],
      prefixes: [place.prefix],
      server: { name: nameOf(place.provider), addresses: [place.address] },
      credentials: credentials(folder, place.provider, 'client')
    })),
    // RFC 9132 §4.3: UDP wins where it works, also on a machine so busy that a handshake takes longer than the usual delay.
    happyEyeballs: { attemptDelayMilliseconds: ATTEMPT_DELAY_MILLISECONDS },
    control: { socket }
  })
  return { config, socket, pacing: join(folder, 'client-pacing.json') }
}

/** JSON is YAML, too. */
function writeConfig(path: string, config: object): string {
  writeFileSync(path, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 })
  return path
}
