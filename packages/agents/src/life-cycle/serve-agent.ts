import type { Clock, Log } from '@breakwater/core'
import { systemClock } from '@breakwater/runtime'
import type { LoadedConfig } from '../config/load.ts'
import { openEventLog } from '../log/event-log.ts'
import type { EventLogOptions } from '../log/event-log.ts'
import type { CleanUp } from './clean-up.ts'
import { runUntilStopped } from './run-until-stopped.ts'
import type { Readiness } from './run-until-stopped.ts'

interface LoggingConfig {
  readonly log?: Partial<Pick<EventLogOptions, 'level' | 'pretty'>>
}

/** Opens everything that an agent of this configuration needs; adds to `cleanUp` what has to be closed. */
export type StartConfigured<Config> = (
  loaded: LoadedConfig<Config>,
  log: Log,
  clock: Clock,
  cleanUp: CleanUp
) => Promise<Readiness>

/** Runs an agent of either role by its configuration until it is told to stop. What may surprise is logged first. */
export async function serveAgent<Config extends LoggingConfig>(
  loaded: LoadedConfig<Config>,
  start: StartConfigured<Config>
): Promise<void> {
  const { level = 'info', pretty = false } = loaded.config.log ?? {}
  const log = openEventLog({ level, pretty })
  for (const { path, message, line } of loaded.warnings) log.warn('config.warning', { path, message, line })
  const clock = systemClock()
  await runUntilStopped(log, clock, (cleanUp) => start(loaded, log, clock, cleanUp))
}
