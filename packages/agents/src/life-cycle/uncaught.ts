import type { Clock, Log } from '@breakwater/core'

/** So many mistakes within one window are no accident any more. */
const tolerated = 50
const windowMs = 10_000

/**
 * Mistakes of ours in one callback must not take the service from everybody else: each is logged with its trace, and
 * the process goes on. A storm of them ends it: a restart is better than a loop.
 * @returns how to stop that.
 */
export function surviveMistakes(log: Log, clock: Clock, giveUp: () => void): () => void {
  const recent: number[] = []
  const onMistake = (error: unknown): void => {
    log.error('agent.uncaught', {
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error)
    })
    const now = clock.now()
    recent.push(now)
    while (recent[0] !== undefined && recent[0] < now - windowMs) recent.shift()
    if (recent.length > tolerated) giveUp()
  }
  process.on('uncaughtException', onMistake)
  process.on('unhandledRejection', onMistake)
  return () => {
    process.off('uncaughtException', onMistake)
    process.off('unhandledRejection', onMistake)
  }
}
