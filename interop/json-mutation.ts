import type { JsonObject, JsonValue } from '@breakwater/model'

/** Small wrongs done to JSON: what remains is sometimes still valid. */

/** Changes one value, found by `pick` among all that stand inside of `body`; `pick` gives numbers from 0 to below 1. */
export function mutated(body: JsonObject, pick: () => number): JsonObject {
  const copy = structuredClone(body) as Record<string, JsonValue>
  // Not the outermost objects: those are the wrappers, which yanglint never sees.
  const places = Object.values(copy).flatMap((message) => placesIn(message))
  const place = choose(places, pick)
  if (place === undefined) return copy
  place.replace(choose(variantsOf(place.value, pick), pick) ?? null)
  return copy
}

interface Place {
  readonly value: JsonValue
  replace(value: JsonValue): void
}

function placesIn(value: JsonValue): Place[] {
  if (typeof value !== 'object' || value === null) return []
  const holder = value as Record<string, JsonValue>
  return Object.entries(holder).flatMap(([key, inside]) => [
    { value: inside, replace: (other: JsonValue) => void (holder[key] = other) },
    ...placesIn(inside)
  ])
}

function choose<T>(from: readonly T[], pick: () => number): T | undefined {
  return from[Math.floor(pick() * from.length)]
}

function variantsOf(value: JsonValue, pick: () => number): readonly JsonValue[] {
  if (value === null) return [0]
  if (typeof value === 'boolean') return [!value, String(value), Number(value), null, [value]]
  if (typeof value === 'number') return numbersLike(value)
  if (typeof value === 'string') return textsLike(value)
  return Array.isArray(value) ? arraysLike(value as JsonValue[]) : objectsLike(value as JsonObject, pick)
}

function numbersLike(value: number): readonly JsonValue[] {
  return [0, -1, -2, value + 0.5, 255, 256, 65_535, 65_536, 0xffff_ffff, 2 ** 32, `${value}`, true, [value]]
}

function textsLike(text: string): readonly JsonValue[] {
  const others = [
    '',
    'under-attack',
    'attack-stopped',
    'cuid-collision',
    '192.0.2.1/33',
    '2001:db8::/32',
    '-1',
    '1.234'
  ]
  const changed = [
    `${text}!`,
    `${text}0`,
    `${text}.`,
    `-${text}`,
    text.toUpperCase(),
    text.slice(1),
    `${text}\n`
  ]
  return [...others, ...changed, 'a'.repeat(254), 7, null, true, [text], '18446744073709551616', '9']
}

function arraysLike(array: readonly JsonValue[]): readonly JsonValue[] {
  return [[], [...array, ...array], [array], array[0] ?? null, { 0: array[0] ?? null }, 'a', [...array, null]]
}

function objectsLike(object: JsonObject, pick: () => number): readonly JsonValue[] {
  const name = choose(Object.keys(object), pick)
  const added: readonly JsonValue[] = [
    { ...object, 'no-such-node': 1 },
    { ...object, 'attack-status': 'under-attack' },
    { ...object, mid: 7 },
    { ...object, 'upper-port': 0 },
    [object],
    [],
    'a'
  ]
  if (name === undefined) return added
  const { [name]: value = null, ...rest } = object
  return [...added, rest, rest, { ...rest, [name.toUpperCase()]: value }, { ...rest, [`x:${name}`]: value }]
}
