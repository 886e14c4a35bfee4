import type { Clock, Log } from '@breakwater/core'
import { Notebook, hostDotsClient } from '@breakwater/dots'
import { openBoundTcpSocket, openDtlsEndpoint } from '@breakwater/dtls'
import {
  linuxDefaultRouters,
  linuxNextHops,
  linuxInterfaceAddresses,
  systemEntropy,
  tlsEndpointOpener
} from '@breakwater/runtime'
import { openSqliteStore } from '@breakwater/store'
import type { ClientConfig } from '../config/client-config.ts'
import { loadClientConfig } from '../config/load.ts'
import type { ConfigFiles } from '../config/file-format.ts'
import type { LoadedConfig } from '../config/load.ts'
import { learnRulesOf } from '../config/learning-of-config.ts'
import { openControlServer } from '../control-api/control-server.ts'
import { claimSocketPath } from '../control-api/socket-file.ts'
import type { CleanUp } from '../life-cycle/clean-up.ts'
import type { Readiness } from '../life-cycle/run-until-stopped.ts'
import { serveAgent } from '../life-cycle/serve-agent.ts'
import { makeFolderOf } from '../make-folder.ts'
import { ClientEndpoints } from './client-endpoints.ts'
import { clientHandlers } from './client-handlers.ts'
import { clientPorts } from './client-ports.ts'
import { ConfigurationReload } from './configuration-reload.ts'
import { DomainResolvers } from './domain-resolvers.ts'
import { KeptSessions } from './kept-sessions.ts'
import { LiveConfiguration } from './live-configuration.ts'
import { ProtectionArchive } from './protection-archive.ts'
import { ProtectionBook } from './protection-book.ts'
import { Provisioning } from './provisioning.ts'
import { SiteResolver } from './site-resolver.ts'
import { provisioningSources } from './provisioning-sources.ts'
import { VainAttempts } from './vain-attempts.ts'

/** Runs a client until it is told to stop. Nothing is withdrawn then: what servers granted stays until its lifetime ends. */
export function serve(configFile: string): Promise<void> {
  return serveAgent(loadClientConfig(configFile), (loaded, log, clock, cleanUp) =>
    start(configFile, loaded, log, clock, cleanUp)
  )
}

async function start(
  configFile: string,
  { config, files }: LoadedConfig<ClientConfig>,
  log: Log,
  clock: Clock,
  cleanUp: CleanUp
): Promise<Readiness> {
  const socket = files.absolute(config.control?.socket ?? '')
  // First of all: a second agent in the same place must not get as far as the network.
  await claimSocketPath(socket)
  const book = new ProtectionBook()
  const entropy = systemEntropy()
  const notebook = await openNotebook(config, files, log, clock, cleanUp)
  const archive = notebook === undefined ? undefined : new ProtectionArchive(notebook, log)
  const protections = (await archive?.load()) ?? []
  const ports = clientPorts(config, files)
  const rules = learnRulesOf(config)
  const provisioning = await Provisioning.begin({
    site: ports.site,
    rules,
    sources: provisioningSources(config, rules, files, clock),
    addresses: linuxInterfaceAddresses({ clock }),
    clock,
    log
  })
  cleanUp.add('provisioning', () => provisioning.close())
  const { site } = provisioning
  const vain = new VainAttempts({ clock, log })
  const endpoints = new ClientEndpoints({
    open: vain.refusing(openDtlsEndpoint),
    openStream: vain.refusing(tlsEndpointOpener({ openSocket: openBoundTcpSocket })),
    credentials: ports.credentials,
    kept: await openKeptSessions(config, files, log, cleanUp),
    clock,
    log,
    isAtPeace: () => host.status().requests.every(({ trigger }) => trigger !== 'immediate')
  })
  cleanUp.add('endpoints', () => endpoints.close())
  const resolvers = new DomainResolvers(endpoints.counters, (evidence) => host.reportPath(evidence))
  cleanUp.add('resolvers', () => resolvers.close())
  const siteResolver = new SiteResolver()
  cleanUp.add('site-resolver', () => siteResolver.close())
  const live = new LiveConfiguration(
    { config, files },
    { ports, endpoints, provisioning, resolvers, siteResolver }
  )
  const host = hostDotsClient({
    ...ports,
    site,
    siteResolver,
    resolvers: live.resolversOf(site),
    clock,
    entropy,
    open: endpoints.open,
    openStream: endpoints.openStream,
    defaultRouters: linuxDefaultRouters(),
    nextHops: linuxNextHops(),
    log,
    protections,
    ...(notebook === undefined ? {} : { notebook }),
    onEvent: (event) => {
      book.take(event)
      archive?.take(event)
    }
  })
  cleanUp.add('host', () => host.close())
  live.follow(host)
  const load = (): LoadedConfig<ClientConfig> => loadClientConfig(configFile)
  const apply = (next: LoadedConfig<ClientConfig>): number => live.apply(next, host)
  new ConfigurationReload({ config, load, apply, log }).onHangUp(cleanUp)
  // Nobody may ask for protection before what was asked in an earlier life is known: ids only grow.
  await host.ready
  const { lifetimeSeconds = 3600, require = 'all', policy = 'all' } = config.defaults ?? {}
  const handlers = clientHandlers({
    host,
    book,
    clock,
    entropy,
    archive,
    provisioning,
    lifetimeSeconds,
    require,
    policy,
    endpointCounters: endpoints.counters
  })
  const control = await openControlServer({ socket, handlers, clock, log })
  cleanUp.add('control', () => control.close())
  return { role: 'client', socket, listen: [] }
}

/** What the client could resume after a restart; undefined when its operator wants nothing on disk. */
async function openKeptSessions(
  { store }: ClientConfig,
  files: ConfigFiles,
  log: Log,
  cleanUp: CleanUp
): Promise<KeptSessions | undefined> {
  if (store === undefined) return undefined
  const kept = await KeptSessions.open(`${files.absolute(store.path)}-sessions`, log)
  cleanUp.add('kept-sessions', () => kept.close())
  return kept
}

/** What the client remembers over a restart; undefined when its operator wants nothing on disk. */
async function openNotebook(
  { store: place }: ClientConfig,
  files: ConfigFiles,
  log: Log,
  clock: Clock,
  cleanUp: CleanUp
): Promise<Notebook | undefined> {
  if (place === undefined) return undefined
  const path = files.absolute(place.path)
  makeFolderOf(path)
  const store = await openSqliteStore({ path })
  cleanUp.add('store', () => store.close())
  const notebook = new Notebook(store, clock, {
    onDamaged: (collection, key) => log.error('memory.damaged', { collection, key }),
    onFailure: (reason) => log.error('memory.failed', { reason })
  })
  cleanUp.add('notebook', () => notebook.close())
  return notebook
}
