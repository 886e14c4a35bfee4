import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { dots } from './agent-process.ts'

/** What an auditor says of the datagrams that it read. */
export interface PacingReport {
  /** Datagrams that it judged. */
  readonly judged: number
  readonly violations: readonly string[]
}

/** What is to be audited by which rule, and where it is written down. */
export interface Audit {
  readonly file: string
  /** Negotiated, in bytes per second. Undefined: the default. */
  readonly probingRate?: number
}

/** The command that runs `dots` with an auditor of its traffic inside. */
export function auditedDots(
  { file, probingRate }: Audit,
  ...args: readonly string[]
): readonly [string, ...string[]] {
  const preload = join(import.meta.dirname, 'pacing-preload.ts')
  const rate = probingRate === undefined ? [] : [`BREAKWATER_PROBING_RATE=${probingRate}`]
  return ['env', `NODE_OPTIONS=--import=${preload}`, `BREAKWATER_PACING=${file}`, ...rate, ...dots, ...args]
}

/** What the auditors of several agents found so far. */
export function readPacing(files: readonly string[]): PacingReport {
  const reports = files
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as PacingReport)
  return {
    judged: reports.reduce((sum, { judged }) => sum + judged, 0),
    violations: reports.flatMap(({ violations }) => violations)
  }
}
