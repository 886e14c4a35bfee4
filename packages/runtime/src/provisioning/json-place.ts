import { DecodeError, WallTime, parseIpAddress, parseIpPrefix } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import type { FactLifetime } from '@breakwater/dots'
import { lifetimeOfSeconds } from './fact-lifetime.ts'

/** The keys of an object; one that is not there is a place without a value. */
export interface JsonFields {
  get(key: string): JsonPlace
}

/**
 * A value of a file that somebody else wrote, with where it stands. Every reader throws `RUNTIME_DROP_INVALID` with the place
 * and what belongs there.
 */
export class JsonPlace {
  readonly value: unknown
  readonly #path: string

  constructor(value: unknown, path: string) {
    this.value = value
    this.#path = path
  }

  fail(what: string): never {
    throw new DecodeError('RUNTIME_DROP_INVALID', `${this.#path === '' ? 'it' : this.#path} ${what}`)
  }

  map(keys: readonly string[]): JsonFields {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.fail('must be an object')
    const entries = new Map<string, unknown>(Object.entries(value))
    const stray = [...entries.keys()].find((key) => !keys.includes(key))
    if (stray === 'servers')
      this.#at(stray, undefined).fail('has no place here: DOTS servers are not learnt this way')
    if (stray !== undefined)
      this.fail(`has the key ${JSON.stringify(stray.slice(0, 40))}, which is none of this format`)
    return { get: (key) => this.#at(key, entries.get(key)) }
  }

  list<Item>(most: number, read: (item: JsonPlace) => Item): Item[] {
    const { value = [] } = this
    if (!Array.isArray(value)) return this.fail('must be a list')
    if (value.length > most) this.fail(`has ${value.length} items; at most ${most} are taken`)
    return value.map((item: unknown, index) => read(new JsonPlace(item, `${this.#path}[${index}]`)))
  }

  textLike(pattern: RegExp): string {
    const { value } = this
    return typeof value === 'string' && pattern.test(value)
      ? value
      : this.fail(`is not what belongs there: ${shown(value)}`)
  }

  prefix(): IpPrefix {
    const { value } = this
    const prefix = typeof value === 'string' ? parseIpPrefix(value) : undefined
    return prefix ?? this.fail(`must be a prefix like 2001:db8::/56, not ${shown(value)}`)
  }

  address(): IpAddress {
    const { value } = this
    const address = typeof value === 'string' ? parseIpAddress(value) : undefined
    return address ?? this.fail(`must be an IP address, not ${shown(value)}`)
  }

  seconds(): number {
    const { value } = this
    if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value
    return this.fail(`must be a number of seconds, not ${shown(value)}`)
  }

  lifetime(): FactLifetime {
    return this.value === undefined ? 'unlimited' : lifetimeOfSeconds(this.seconds())
  }

  moment(): WallTime {
    const { value } = this
    const isMoment =
      typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(value)
    const moment = isMoment ? Date.parse(value) : Number.NaN
    return Number.isNaN(moment)
      ? this.fail(`must be a moment like 2026-11-28T18:25:40Z, not ${shown(value)}`)
      : WallTime(moment)
  }

  #at(key: string, value: unknown): JsonPlace {
    return new JsonPlace(value, this.#path === '' ? key : `${this.#path}.${key}`)
  }
}

/** Enough of a value for people to find it. */
function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 60)
}
