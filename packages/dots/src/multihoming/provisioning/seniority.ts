import { prefixKey } from '@breakwater/core'
import type { PrefixClaim } from './prefix-claim.ts'

/** Who said first what a domain assigned, as long as it is being said: a renewal gains nothing and loses nothing. */
export class Seniority {
  #places = new Map<string, number>()
  #next = 0

  /** The claims, the senior one first; those that are not among them lose their places. */
  inOrder(claims: readonly PrefixClaim[]): PrefixClaim[] {
    const places = new Map<string, number>()
    for (const claim of claims) {
      const name = nameOf(claim)
      places.set(name, this.#places.get(name) ?? this.#next++)
    }
    this.#places = places
    const placeOf = (claim: PrefixClaim): number => places.get(nameOf(claim)) ?? 0
    return claims.toSorted((x, y) => placeOf(x) - placeOf(y))
  }
}

function nameOf({ kept, domain, prefix }: PrefixClaim): string {
  return `${kept.id} ${domain} ${prefixKey(prefix)}`
}
