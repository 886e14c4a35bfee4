import { ConfigError } from '@breakwater/core'
import type { Log } from '@breakwater/core'
import type { CleanUp } from './life-cycle/clean-up.ts'

/**
 * SIGHUP: reads the files of the configuration again. `reload` gives the endpoints what is in them now, and returns how many
 * took it. What is unusable is logged, and the old credentials stay.
 */
export function reloadOnHangUp(reload: () => number, log: Log, cleanUp: CleanUp): void {
  const act = (): void => {
    try {
      log.info('credentials.reloaded', { endpoints: reload() })
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const problems = error.problems.map(({ path, message }) => `${path}: ${message}`)
      log.error('credentials.not_reloaded', { reason: error.message, problems })
    }
  }
  process.on('SIGHUP', act)
  cleanUp.add('credential-reload', () => void process.off('SIGHUP', act))
}
