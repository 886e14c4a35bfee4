import type { Clock, Log } from '@breakwater/core'
import { hostDotsClient } from '@breakwater/dots'
import { openBoundTcpSocket, openDtlsEndpoint } from '@breakwater/dtls'
import { systemClock, systemEntropy, tlsEndpointOpener } from '@breakwater/runtime'
import { openSqliteStore } from '@breakwater/store'
import type { ClientConfig } from '../config/client-config.ts'
import { loadClientConfig } from '../config/load.ts'
import type { LoadedConfig } from '../config/load.ts'
import { openControlServer } from '../control-api/control-server.ts'
import { claimSocketPath } from '../control-api/socket-file.ts'
import type { CleanUp } from '../life-cycle/clean-up.ts'
import { runUntilStopped } from '../life-cycle/run-until-stopped.ts'
import type { Readiness } from '../life-cycle/run-until-stopped.ts'
import { openEventLog } from '../log/event-log.ts'
import { makeFolderOf } from '../make-folder.ts'
import { clientHandlers } from './client-handlers.ts'
import { clientPorts } from './client-ports.ts'
import { ProtectionArchive } from './protection-archive.ts'
import { ProtectionBook } from './protection-book.ts'

/** Runs a client until it is told to stop. Nothing is withdrawn then: what servers granted stays until its lifetime ends. */
export async function serve(configFile: string): Promise<void> {
  const loaded = loadClientConfig(configFile)
  const { level = 'info', pretty = false } = loaded.config.log ?? {}
  const log = openEventLog({ level, pretty })
  for (const { path, message, line } of loaded.warnings) log.warn('config.warning', { path, message, line })
  const clock = systemClock()
  await runUntilStopped(log, clock, (cleanUp) => start(loaded, log, clock, cleanUp))
}

async function start(
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
  let archive: ProtectionArchive | undefined
  const host = hostDotsClient({
    ...clientPorts(config, files),
    clock,
    entropy,
    open: openDtlsEndpoint,
    openStream: tlsEndpointOpener({ openSocket: openBoundTcpSocket }),
    log,
    onEvent: (event) => {
      book.take(event)
      archive?.take(event)
    }
  })
  cleanUp.add('host', () => host.close())
  archive =
    config.store === undefined
      ? undefined
      : await openArchive(files.absolute(config.store.path), log, cleanUp)
  for (const each of (await archive?.load()) ?? []) host.protect(each)
  const lifetimeSeconds = config.defaults?.lifetimeSeconds ?? 3600
  const handlers = clientHandlers({ host, book, clock, entropy, archive, lifetimeSeconds })
  const control = await openControlServer({ socket, handlers, clock, log })
  cleanUp.add('control', () => control.close())
  return { role: 'client', socket, listen: [] }
}

async function openArchive(path: string, log: Log, cleanUp: CleanUp): Promise<ProtectionArchive> {
  makeFolderOf(path)
  const store = await openSqliteStore({ path })
  cleanUp.add('store', () => store.close())
  return new ProtectionArchive(store, log)
}
