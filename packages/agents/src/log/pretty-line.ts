import type { LogFields } from '@breakwater/core'
import type { Level } from './event-catalogue.ts'

/** One event as a line for people: time, level, what happened, then the fields. */
export function prettyLine(
  time: Date,
  level: Level,
  event: string,
  text: string,
  fields: readonly (readonly [string, LogFields[string]])[]
): string {
  const parts = fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${shown(value)}`]))
  const clock = time.toISOString().slice(11, 23)
  return [clock, level.toUpperCase().padEnd(5), `${text} (${event})`, ...parts].join(' ')
}

/** Quoted where it holds blanks or anything that could pass for another field or another line. */
function shown(value: NonNullable<LogFields[string]>): string {
  const text = Array.isArray(value) ? value.join(',') : String(value)
  return /^[\w.:/,[\]@+-]+$/.test(text) ? text : JSON.stringify(text)
}
