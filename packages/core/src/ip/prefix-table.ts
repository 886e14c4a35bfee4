import type { IpAddress, IpFamily } from './address.ts'
import { hostPrefix, prefixOf } from './prefix.ts'
import type { IpPrefix } from './prefix.ts'
import { NO_NUMBER, PrefixRows, sortedOnce } from './prefix-rows.ts'
import type { NumberedPrefix } from './prefix-rows.ts'

/** One entry of a `PrefixTable`. */
export interface PrefixEntry<Value> {
  readonly prefix: IpPrefix
  readonly value: Value
}

/**
 * A map from prefixes to values with longest-prefix match, for a million prefixes and more: built once and then only read.
 * Nothing but a few numbers is stored for a prefix.
 * @example
 * const owners = new PrefixTable([{ prefix: prefixOf(ipv4(0xc0000200), 24), value: 'example' }])
 * owners.longestMatch(ipv4(0xc0000207))?.value // 'example'
 */
export class PrefixTable<Value> {
  /** Each value once, by its number: most prefixes share theirs with many others. At `NO_NUMBER` stands undefined. */
  readonly #values: readonly (Value | undefined)[]
  readonly #ipv4: PrefixRows
  readonly #ipv6: PrefixRows

  /** @param entries In any order. Of several for the same prefix, the last one counts. */
  constructor(entries: Iterable<PrefixEntry<Value>> = []) {
    const numbers = new Map<Value, number>()
    const numbered: Record<IpFamily, NumberedPrefix[]> = { 4: [], 6: [] }
    for (const { prefix, value } of entries) {
      const number = numbers.get(value) ?? numbers.size + 1
      numbers.set(value, number)
      numbered[prefix.address.family].push({ prefix, number })
    }
    this.#values = [undefined, ...numbers.keys()]
    this.#ipv4 = new PrefixRows(4, sortedOnce(numbered[4]))
    this.#ipv6 = new PrefixRows(6, sortedOnce(numbered[6]))
  }

  get size(): number {
    return this.#ipv4.size + this.#ipv6.size
  }

  /** The longest entry that `address` lies in. */
  longestMatch(address: IpAddress): PrefixEntry<Value> | undefined {
    return this.longestCover(hostPrefix(address))
  }

  /** The longest entry that contains the whole of `prefix`; `prefix` itself counts. */
  longestCover(prefix: IpPrefix): PrefixEntry<Value> | undefined {
    const rows = this.#rowsFor(prefix)
    const row = rows.longestCover(prefix)
    const number = rows.numberAt(row)
    if (number === NO_NUMBER) return undefined
    const value = this.#values[number] as Value
    return { prefix: prefixOf(prefix.address, rows.lengthAt(row)), value }
  }

  /** The value of `longestCover`, without an object made. */
  coveringValue(prefix: IpPrefix): Value | undefined {
    const rows = this.#rowsFor(prefix)
    return this.#values[rows.numberAt(rows.longestCover(prefix))]
  }

  #rowsFor(prefix: IpPrefix): PrefixRows {
    return prefix.address.family === 4 ? this.#ipv4 : this.#ipv6
  }
}
