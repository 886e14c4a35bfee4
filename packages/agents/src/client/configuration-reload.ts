import { BreakwaterError, ConfigError } from '@breakwater/core'
import type { Log } from '@breakwater/core'
import type { ClientConfig } from '../config/client-config.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { CleanUp } from '../life-cycle/clean-up.ts'
import { configurationChange } from './configuration-change.ts'

export interface ConfigurationReloadOptions {
  /** What the client goes by. */
  readonly config: ClientConfig
  /** Reads the configuration as it is now. Throws a ConfigError with every mistake in it. */
  readonly load: () => LoadedConfig<ClientConfig>
  /**
   * Makes the client go by it. Where it throws, the site stays as it was.
   * @returns how many endpoints took new credentials.
   */
  readonly apply: (loaded: LoadedConfig<ClientConfig>) => number
  readonly log: Log
}

/**
 * Makes a running client go by its configuration as it is now: domains, servers, prefixes, credentials. What is unusable is
 * logged with all its mistakes, and the client goes on as before.
 */
export class ConfigurationReload {
  readonly #options: ConfigurationReloadOptions
  #config: ClientConfig
  #last: Promise<void> = Promise.resolve()

  constructor(options: ConfigurationReloadOptions) {
    this.#options = options
    this.#config = options.config
  }

  /** Does so whenever the process gets SIGHUP. */
  onHangUp(cleanUp: CleanUp): void {
    const act = (): void => void this.reload()
    process.on('SIGHUP', act)
    cleanUp.add('configuration-reload', () => {
      process.off('SIGHUP', act)
      return this.#last
    })
  }

  /** One at a time. Rejects with mistakes of ours only. */
  reload(): Promise<void> {
    this.#last = this.#last.then(() => this.#reload())
    return this.#last
  }

  #reload(): void {
    const { log, load, apply } = this.#options
    try {
      const loaded = load()
      const endpoints = apply(loaded)
      const { needRestart, ...change } = configurationChange(this.#config, loaded.config)
      for (const { path, message, line } of loaded.warnings)
        log.warn('config.warning', { path, message, line })
      if (needRestart.length > 0) log.warn('config.restart_needed', { options: needRestart })
      log.info('config.reloaded', { ...change, endpoints })
      this.#config = taken(this.#config, loaded.config)
    } catch (error) {
      if (!(error instanceof BreakwaterError)) throw error
      const problems = error instanceof ConfigError ? error.problems : []
      log.error('config.not_reloaded', {
        reason: error.message,
        problems: problems.map(({ path, message }) => `${path}: ${message}`)
      })
    }
  }
}

/** What needs a restart is to be named until there has been one. */
function taken(before: ClientConfig, { domains, site, addressSelection }: ClientConfig): ClientConfig {
  const { site: _, addressSelection: __, ...rest } = before
  return {
    ...rest,
    domains,
    ...(site === undefined ? {} : { site }),
    ...(addressSelection === undefined ? {} : { addressSelection })
  }
}
