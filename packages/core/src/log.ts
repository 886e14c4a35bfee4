/** Plain values only: no keys, no secrets, no whole packets. */
export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** Events, not prose: `log.info('mitigation.activated', { mitigationId })`. */
export interface Log {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

/** Says nothing: for tests and tools. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined
}
