import type { Clock, Log } from '@breakwater/core'
import type { EventLog } from '../log/event-log.ts'
import { CleanUp } from './clean-up.ts'
import { listenForStop } from './stop-signal.ts'
import { surviveMistakes } from './uncaught.ts'

/** What an agent says on standard output once it can be used, as one line of JSON. */
export interface Readiness {
  readonly role: 'client' | 'server'
  /** Control socket. */
  readonly socket: string
  /** Addresses that it listens on. */
  readonly listen: readonly string[]
}

/** Opens everything; adds to `cleanUp` what has to be closed. */
export type StartAgent = (cleanUp: CleanUp, log: Log) => Promise<Readiness>

/**
 * The life of an agent: start, one line on standard output, run, stop in order. What was opened is closed in every case.
 * Rejects with whatever kept the agent from starting.
 */
export async function runUntilStopped(log: EventLog, clock: Clock, start: StartAgent): Promise<void> {
  const signal = listenForStop()
  const cleanUp = new CleanUp()
  const letMistakesBe = surviveMistakes(log, clock, () => signal.stop('failure'))
  try {
    log.info('agent.starting', { node: process.versions.node })
    const readiness = await start(cleanUp, log)
    process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, ...readiness })}\n`)
    log.info('agent.ready', { role: readiness.role, socket: readiness.socket, listen: readiness.listen })
    const reason = await signal.stopped
    log.info('agent.stopping', { reason })
    if (reason === 'failure') process.exitCode = 1
  } finally {
    await cleanUp.run(log)
    log.info('agent.stopped')
    await log.close()
    letMistakesBe()
    signal.dispose()
  }
}
