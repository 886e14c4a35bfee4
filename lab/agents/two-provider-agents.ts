import { join } from 'node:path'

import { type AgentFiles, credentialsIn, issueCertificates, writeConfig } from './agent-files.ts'

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

export interface TwoProviderFiles {
  readonly client: AgentFiles
  readonly servers: ReadonlyMap<string, AgentFiles & { readonly transcript: string }>
}

/** Issues certificates, one authority a provider, and writes the configuration of every agent below `folder`. */
export async function writeTwoProviderFiles(
  folder: string,
  agents: TwoProviderAgents
): Promise<TwoProviderFiles> {
  await Promise.all(agents.servers.map((place) => certify(folder, place)))
  const servers = agents.servers.map((place) => [place.provider, writeServer(folder, place, agents)] as const)
  return { client: writeClient(folder, agents), servers: new Map(servers) }
}

/** Each provider certifies its own server and the site's client: credentials of one mean nothing to the other. */
function certify(folder: string, { provider }: ServerPlace): Promise<void> {
  return issueCertificates(join(folder, provider), [
    { file: 'server', role: 'server', dnsName: nameOf(provider) },
    { file: 'client', role: 'client', dnsName: `home.${provider}.example` }
  ])
}

function nameOf(provider: string): string {
  return `dots.${provider}.example`
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
    credentials: credentialsIn(join(folder, place.provider), 'server'),
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
      credentials: credentialsIn(join(folder, place.provider), 'client')
    })),
    // RFC 9132 §4.3: UDP wins where it works, also on a machine so busy that a handshake takes longer than the usual delay.
    happyEyeballs: { attemptDelayMilliseconds: ATTEMPT_DELAY_MILLISECONDS },
    control: { socket }
  })
  return { config, socket, pacing: join(folder, 'client-pacing.json') }
}
