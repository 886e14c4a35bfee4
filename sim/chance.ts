import { fraction, integerBelow } from '@breakwater/core'
import type { Entropy } from '@breakwater/core'
import { derivedSeed, seededEntropy } from '@breakwater/testing'

/** A stream of chance with the draws that a scenario needs. */
export class Chance {
  readonly #entropy: Entropy

  constructor(seed: number, name: string) {
    this.#entropy = seededEntropy(derivedSeed(seed, name))
  }

  /** True in `part` (0 … 1) of all cases. */
  happens(part: number): boolean {
    return fraction(this.#entropy) < part
  }

  /** A number of [from, to). */
  between(from: number, to: number): number {
    return from + (to - from) * fraction(this.#entropy)
  }

  /** An integer of from … to, both included. */
  integer(from: number, to: number): number {
    return from + integerBelow(this.#entropy, to - from + 1)
  }

  /** One of a list that is not empty. */
  oneOf<Thing>(things: readonly Thing[]): Thing {
    const thing = things[integerBelow(this.#entropy, things.length)]
    if (thing === undefined) throw new RangeError('nothing to choose from')
    return thing
  }

  /** `count` different ones of a list, in the order of the list. */
  someOf<Thing>(things: readonly Thing[], count: number): Thing[] {
    const left = [...things.keys()]
    while (left.length > count) left.splice(integerBelow(this.#entropy, left.length), 1)
    return left.flatMap((index) => things[index] ?? [])
  }
}
