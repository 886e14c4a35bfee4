import { ConfigError } from '@breakwater/core'

/** A mistake on the command line: the operator's, like one in a configuration. */
export function usageError(message: string): ConfigError {
  return new ConfigError('CLI_USAGE', message, [])
}
