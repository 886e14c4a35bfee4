import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  type ClientPlan,
  type ProviderPlan,
  type Topology,
  entitledTo,
  hostAddressIn,
  linksOf,
  ownerOf,
  providerOf
} from '../multihomed/topology.ts'
import { type DomainPlace, clientSessions, clientSite } from '../multihomed/client-site.ts'
import type { HeardRequest } from '../multihomed/world.ts'
import { type AgentFiles, credentialsIn, issueCertificates, writeConfig } from './agent-files.ts'

/** The longest that RFC 8305 §5 recommends: of two links the first wins also on a busy machine. */
const ATTEMPT_DELAY_MILLISECONDS = 2000

export interface MultihomedFiles {
  readonly clients: ReadonlyMap<string, AgentFiles>
  /** By the server's name. */
  readonly servers: ReadonlyMap<string, AgentFiles & { readonly transcript: string }>
}

/** Issues certificates, an authority for each provider, and writes the configuration of every agent below `folder`. */
export async function writeMultihomedFiles(folder: string, topology: Topology): Promise<MultihomedFiles> {
  await Promise.all(
    topology.providers.map(({ name, servers }) =>
      issueCertificates(join(folder, name), [
        ...Object.keys(servers).map((server) => ({
          file: server,
          role: 'server' as const,
          dnsName: server
        })),
        ...clientsOf(topology, name).map((client) => ({
          file: client,
          role: 'client' as const,
          dnsName: clientName(client, name)
        }))
      ])
    )
  )
  return {
    servers: new Map(
      topology.providers.flatMap((provider) =>
        Object.entries(provider.servers).map(
          ([server, address]) => [server, writeServer(folder, topology, provider, server, address)] as const
        )
      )
    ),
    clients: new Map(
      topology.clients.map((client) => [client.name, writeClient(folder, topology, client)] as const)
    )
  }
}

function clientsOf({ clients }: Topology, provider: string): readonly string[] {
  return clients
    .filter(({ providers, laterProviders = [] }) => [...providers, ...laterProviders].includes(provider))
    .map(({ name }) => name)
}

function clientName(client: string, provider: string): string {
  return `${client}.${provider}.example`
}

function writeServer(
  folder: string,
  topology: Topology,
  provider: ProviderPlan,
  server: string,
  address: string
): AgentFiles & { readonly transcript: string } {
  const own = join(folder, server)
  mkdirSync(own)
  const transcript = join(own, 'audit.jsonl')
  const socket = join(own, 'control.sock')
  const config = writeConfig(join(own, 'server.yaml'), {
    listen: [{ address }],
    credentials: credentialsIn(join(folder, provider.name), server),
    clients: clientsOf(topology, provider.name).map((client) => ({
      name: client,
      identity: { dnsName: clientName(client, provider.name) },
      prefixes: entitledTo(topology, provider)
    })),
    mitigator: { kind: 'dry-run' },
    store:
      provider.sharesStore === true
        ? { path: join(folder, provider.name, 'store.db'), shared: true }
        : { path: join(own, 'store.db') },
    control: { socket },
    audit: { path: transcript }
  })
  return { config, socket, transcript, pacing: join(own, 'pacing.json') }
}

function writeClient(folder: string, topology: Topology, client: ClientPlan): AgentFiles {
  const own = join(folder, client.name)
  mkdirSync(own)
  rewriteClient(folder, topology, client)
  return clientFiles(folder, client.name)
}

function clientFiles(folder: string, client: string): AgentFiles {
  const own = join(folder, client)
  return {
    config: join(own, 'client.yaml'),
    socket: join(own, 'control.sock'),
    pacing: join(own, 'pacing.json')
  }
}

/** Writes the configuration of a client as this drawing has it. */
export function rewriteClient(folder: string, topology: Topology, client: ClientPlan): void {
  const { config, socket } = clientFiles(folder, client.name)
  const { site, domains } = clientSite(topology, client, (name) => placeOf(topology, client, name))
  writeConfig(config, {
    site,
    domains: domains.map((domain) => ({
      ...domain,
      credentials: credentialsIn(join(folder, ownerOf(topology, domain.name).name), client.name)
    })),
    ...clientSessions(client),
    reconnection: { retrySeconds: 60 },
    happyEyeballs: { attemptDelayMilliseconds: ATTEMPT_DELAY_MILLISECONDS },
    control: { socket }
  })
}

/** On a CPE a domain has its interfaces. An internal host has one for all, and the source says which provider it is. */
function placeOf(topology: Topology, { on }: ClientPlan, provider: string): DomainPlace {
  const links = linksOf(topology).filter((link) => link.cpe === on && link.provider === provider)
  if (links.length === 0) {
    return { interfaces: [], sources: [hostAddressIn(topology, providerOf(topology, provider), on)] }
  }
  return {
    interfaces: links.map((link) => link.interface),
    sources: links.length > 1 ? [] : links.map(({ cpeAddress }) => cpeAddress)
  }
}

/** What a server decrypted so far, from its audit file. */
export function readHeard(server: string, file: string): readonly HeardRequest[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  // The last line may be half written.
  lines.pop()
  return lines.map((line) => {
    const entry = JSON.parse(line) as {
      readonly time: string
      readonly method: string
      readonly outcome: string
      readonly targets?: readonly string[]
    }
    const { method, outcome, targets = [] } = entry
    return { provider: server, method, outcome, targets, atMs: Date.parse(entry.time) }
  })
}
