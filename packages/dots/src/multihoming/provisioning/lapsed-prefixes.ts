import { prefixContains, prefixKey } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'

/** More are not remembered; the oldest are forgotten first. */
const MAXIMUM_LAPSED = 256

/** Prefixes that were a provider's and are no more: what is left of their addresses on this host must not be used. */
export class LapsedPrefixes {
  readonly #lapsed = new Map<string, IpPrefix>()
  #before: readonly IpPrefix[] = []

  /** @param taken The prefixes that were learnt and hold. */
  follow(taken: readonly IpPrefix[]): void {
    const keys = new Set(taken.map(prefixKey))
    for (const prefix of this.#before)
      if (!keys.has(prefixKey(prefix))) this.#lapsed.set(prefixKey(prefix), prefix)
    for (const [key, prefix] of this.#lapsed)
      if (taken.some((each) => prefixContains(each, prefix))) this.#lapsed.delete(key)
    for (const key of this.#lapsed.keys()) {
      if (this.#lapsed.size <= MAXIMUM_LAPSED) break
      this.#lapsed.delete(key)
    }
    this.#before = taken
  }

  list(): readonly IpPrefix[] {
    return [...this.#lapsed.values()]
  }
}
