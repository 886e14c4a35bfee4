import { ConfigError, RejectedError, UnavailableError } from '@breakwater/core'

/** How `dots` ends, for scripts; docs/reference/cli.md lists the same. */
export const ExitCode = {
  /** Done as asked. */
  ok: 0,
  /** Failed for a reason that has no number of its own. */
  failed: 1,
  /** The command line or the configuration is wrong; nothing was done. */
  usage: 2,
  /** An agent or a server said no. */
  refused: 3,
  /** There is no agent at the socket. */
  unreachable: 4,
  /** `--wait` ran out of time; what was started goes on. */
  timeout: 5
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** The exit code that an error of the six families comes to. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ConfigError) return ExitCode.usage
  if (error instanceof RejectedError) return ExitCode.refused
  if (error instanceof UnavailableError && error.code === 'CONTROL_AGENT_UNREACHABLE')
    return ExitCode.unreachable
  return ExitCode.failed
}
