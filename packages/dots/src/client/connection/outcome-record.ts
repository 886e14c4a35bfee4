import { DecodeError, Milliseconds, WallTime, decodeUtf8, encodeUtf8 } from '@breakwater/core'
import type { SessionFailure } from '@breakwater/core'
import type { AttemptOutcome } from './attempt-outcome.ts'
import type { RememberedOutcome, RememberedOutcomes } from './outcome-memory.ts'

/** So many paths to one server at most are believed of a record. */
const MOST_OUTCOMES = 256

const failures: Readonly<Record<SessionFailure, true>> = {
  timeout: true,
  'peer-alert': true,
  'certificate-refused': true,
  'name-mismatch': true,
  'no-shared-key': true,
  protocol: true,
  limit: true,
  local: true
}

/** Writes what was learnt of the paths to one server, as JSON. */
export function encodeOutcomes(outcomes: RememberedOutcomes): Uint8Array {
  return encodeUtf8(JSON.stringify(outcomes))
}

/** Reads it again. Undefined when it is not what `encodeOutcomes` writes: then nothing is known, and nothing is lost. */
export function decodeOutcomes(bytes: Uint8Array): RememberedOutcomes | undefined {
  const value = jsonOf(bytes)
  if (!isObject(value)) return undefined
  const { situation, outcomes } = value
  if (typeof situation !== 'string') return undefined
  if (!Array.isArray(outcomes) || outcomes.length > MOST_OUTCOMES) return undefined
  const read = outcomes.map((each: unknown) => rememberedOf(each))
  const whole = read.filter((each) => each !== undefined)
  return whole.length === read.length ? { situation, outcomes: whole } : undefined
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DecodeError) return undefined
    throw error
  }
}

function rememberedOf(value: unknown): RememberedOutcome | undefined {
  if (!isObject(value)) return undefined
  const { at, path } = value
  const outcome = outcomeOf(value['outcome'])
  if (!isTime(at) || typeof path !== 'string' || outcome === undefined) return undefined
  return { at: WallTime(at), path, outcome }
}

function outcomeOf(value: unknown): AttemptOutcome | undefined {
  if (!isObject(value)) return undefined
  const { kind, took, waited, reason } = value
  if (kind === 'won' && isTime(took)) return { kind, took: Milliseconds(took) }
  if (kind === 'outrun' && isTime(waited)) return { kind, waited: Milliseconds(waited) }
  if (kind === 'failed' && isFailure(reason)) return { kind, reason }
  return kind === 'untried' ? { kind } : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isFailure(value: unknown): value is SessionFailure {
  return typeof value === 'string' && Object.hasOwn(failures, value)
}
