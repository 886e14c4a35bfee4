import { DecodeError, decodeUtf8 } from '@breakwater/core'
import type { WallTime } from '@breakwater/core'

/** Values of a stored record, one by one. All throw a DecodeError `DOTS_CLIENT_RECORD_INVALID` that names the place. */

/** A record as a whole, written as JSON by this version. */
export function parseRecord(value: Uint8Array): Readonly<Record<string, unknown>> {
  const record = objectOf(jsonOf(value), 'the record')
  if (record['version'] !== 1) throw invalid('its version', '1')
  return record
}

export function objectOf(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw invalid(where, 'an object')
}

export function listOf(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw invalid(where, 'a list')
}

export function textOf(value: unknown, where: string): string {
  if (typeof value === 'string') return value
  throw invalid(where, 'a text')
}

export function wholeOf(value: unknown, where: string, least: number, most: number = 2 ** 53 - 1): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw invalid(where, `an integer of ${least} … ${most}`)
}

export function oneOf<Word extends string>(value: unknown, where: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === value)
  if (found !== undefined) return found
  throw invalid(where, `one of ${words.join(', ')}`)
}

export function isWallTime(value: unknown): value is WallTime {
  return typeof value === 'number' && Number.isFinite(value)
}

function jsonOf(value: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(value))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DecodeError) throw invalid('the record', 'JSON')
    throw error
  }
}

function invalid(where: string, expected: string): DecodeError {
  return new DecodeError('DOTS_CLIENT_RECORD_INVALID', `${where} is not ${expected}`)
}
