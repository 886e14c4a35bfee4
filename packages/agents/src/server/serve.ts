import { basename } from 'node:path'
import type { Clock, Log, SecureEndpoint, SecureStreamEndpoint, ServerCredentials } from '@breakwater/core'
import { hostDotsServer } from '@breakwater/dots'
import type { Mitigator, ServerEvent } from '@breakwater/dots'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { dryRunMitigator, openNftablesMitigator } from '@breakwater/mitigators'
import { openTlsEndpoint, systemEntropy } from '@breakwater/runtime'
import { openSharedSqliteStore, openSqliteStore } from '@breakwater/store'
import { noAuditTrail, openAuditTrail } from './audit-trail.ts'
import type { AuditTrail } from './audit-trail.ts'
import { loadServerConfig } from '../config/load.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { ServerConfig } from '../config/server-config.ts'
import { openControlServer } from '../control-api/control-server.ts'
import { claimSocketPath } from '../control-api/socket-file.ts'
import { reloadOnHangUp } from '../credential-reload.ts'
import type { CleanUp } from '../life-cycle/clean-up.ts'
import type { Readiness } from '../life-cycle/run-until-stopped.ts'
import { serveAgent } from '../life-cycle/serve-agent.ts'
import { makeFolderOf } from '../make-folder.ts'
import { openResolver } from '../open-resolver.ts'
import { OpenEndpoints } from '../open-endpoints.ts'
import { listeningAddressText, socketAddressText } from '../socket-address-text.ts'
import { auditEntryOf } from './audit-entry.ts'
import { PeerAddresses } from './peer-addresses.ts'
import { serverHandlers } from './server-handlers.ts'
import {
  clientDomains,
  listenOptions,
  serverCredentials,
  serverPolicy,
  streamCredentials
} from './server-ports.ts'
import { TicketKeys } from './ticket-keys.ts'

/** Runs a server until it is told to stop: the composition, and nothing but that. */
export function serve(configFile: string): Promise<void> {
  return serveAgent(loadServerConfig(configFile), (loaded, log, clock, cleanUp) =>
    start(configFile, loaded, log, clock, cleanUp)
  )
}

async function start(
  configFile: string,
  { config, files }: LoadedConfig<ServerConfig>,
  log: Log,
  clock: Clock,
  cleanUp: CleanUp
): Promise<Readiness> {
  const socket = files.absolute(config.control?.socket ?? '')
  // First of all: a second agent in the same place must not get as far as the network.
  await claimSocketPath(socket)
  const audit =
    config.audit === undefined ? noAuditTrail : await openAuditTrail(files.absolute(config.audit.path), log)
  cleanUp.add('audit', () => audit.close())
  reopenOnHangUp(audit, cleanUp)
  const path = files.absolute(config.store.path)
  makeFolderOf(path)
  const sharing = config.store.shared === true ? await openSharedSqliteStore({ path }) : undefined
  const store = sharing ?? (await openSqliteStore({ path }))
  cleanUp.add('store', () => store.close())
  const mitigator = await openMitigator(config.mitigator, log)
  cleanUp.add('mitigator', () => mitigator.close())
  // Of servers that share a store, each has keys of its own: their control sockets tell them apart.
  const tickets = sharing === undefined ? `${path}-tickets` : `${path}-${basename(socket)}-tickets`
  const endpoints = await openEndpoints(tickets, clock, log, cleanUp)
  const resolver = config.resolver === undefined ? undefined : openResolver(config.resolver, files)
  if (resolver !== undefined) cleanUp.add('resolver', () => resolver.close())
  const addresses = new PeerAddresses()
  const host = await hostDotsServer({
    clock,
    entropy: systemEntropy(),
    open: endpoints.datagrams.open,
    openStream: endpoints.streams.open,
    listen: listenOptions(config, files),
    store,
    ...(sharing === undefined ? {} : { sharing }),
    mitigator,
    ...(resolver === undefined ? {} : { resolver }),
    domains: clientDomains(config),
    policy: serverPolicy(config),
    log,
    onEvent: (event) => take(event, addresses, audit)
  })
  cleanUp.add('host', () => host.stop())
  reloadOnHangUp(() => reloadCredentials(configFile, endpoints), log, cleanUp)
  const control = await openControlServer({
    socket,
    handlers: serverHandlers(host, clock, new Set(config.clients.map(({ name }) => name))),
    clock,
    log
  })
  cleanUp.add('control', () => control.close())
  return { role: 'server', socket, listen: host.addresses.map((address) => listeningAddressText(address)) }
}

interface ServerEndpoints {
  readonly datagrams: OpenEndpoints<SecureEndpoint>
  readonly streams: OpenEndpoints<SecureStreamEndpoint>
}

/** Endpoints whose clients may resume their sessions, also with the process that comes after this one. */
async function openEndpoints(
  path: string,
  clock: Clock,
  log: Log,
  cleanUp: CleanUp
): Promise<ServerEndpoints> {
  const keys = await TicketKeys.open({ path, clock, entropy: systemEntropy(), log })
  cleanUp.add('ticket-keys', () => keys.close())
  const datagrams = new OpenEndpoints(openDtlsEndpoint, {
    prepare: (options) => (options.role === 'server' ? { ...options, ticketKeys: keys.current } : options),
    onEstablished: (_, __, { resumed, path: { remote } }) => {
      if (resumed === true) log.info('session.resumed', { remote: socketAddressText(remote) })
    }
  })
  keys.onChange((all) => datagrams.each((endpoint) => endpoint.useTicketKeys?.(all)))
  return { datagrams, streams: new OpenEndpoints(openTlsEndpoint) }
}

function reloadCredentials(configFile: string, { datagrams, streams }: ServerEndpoints): number {
  const { config, files } = loadServerConfig(configFile)
  const credentials = serverCredentials(config, files)
  let count = 0
  const give = (endpoint: SecureEndpoint, own: ServerCredentials): void => {
    endpoint.reload?.(own)
    count++
  }
  datagrams.each((endpoint) => give(endpoint, credentials))
  streams.each((endpoint) => give(endpoint, streamCredentials(credentials)))
  return count
}

function take(event: ServerEvent, addresses: PeerAddresses, audit: AuditTrail): void {
  // Before the session is forgotten: the trail wants to know where a request came from.
  if (event.kind === 'request') {
    const entry = auditEntryOf(event, new Date(), addresses.of(event.peer))
    if (entry !== undefined) audit.record(entry)
  }
  addresses.take(event)
}

function openMitigator(mitigator: ServerConfig['mitigator'], log: Log): Promise<Mitigator> {
  if (mitigator.kind === 'dry-run') return Promise.resolve(dryRunMitigator(log))
  const { table, hook = 'forward' } = mitigator
  return openNftablesMitigator({ hook, ...(table === undefined ? {} : { table }) })
}

/** SIGHUP: log rotation has moved the audit file away. */
function reopenOnHangUp(audit: AuditTrail, cleanUp: CleanUp): void {
  const reopen = (): void => audit.reopen()
  process.on('SIGHUP', reopen)
  cleanUp.add('hang-up', () => void process.off('SIGHUP', reopen))
}
