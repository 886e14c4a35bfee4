import { comparePrefixes } from '@breakwater/core'
import type { Holding } from './holding.ts'

/** draft-ohira: so many prefixes one requesting router has for long. */
export const PREFERRED_PREFIXES = 5

/** draft-ohira: so many it has at most, those included whose lifetime was shortened. */
export const MOST_PREFIXES = 7

/** What one router has got so far, in the order in which it got it. */
export class RequesterShare {
  readonly #held: Holding[] = []
  /** Texts of the global prefixes that may still come: their best block must find room. */
  readonly #expected: Set<string>

  constructor(expected: Iterable<string>) {
    this.#expected = new Set(expected)
  }

  get held(): readonly Holding[] {
    return this.#held
  }

  /** How many blocks of a global prefix it has. */
  countOf(root: string): number {
    return this.#held.filter((holding) => holding.root === root).length
  }

  /** Whether nothing of this global prefix came from this router before. */
  isNewDelegator(root: string, router: string): boolean {
    return !this.#held.some((holding) => holding.root === root && holding.from?.router === router)
  }

  /** Takes a block if the limits allow it; shortens the lifetime of the one of lowest priority when there are too many. */
  take(holding: Holding): boolean {
    const isBest = this.countOf(holding.root) === 0
    const reserved = [...this.#expected].filter(
      (root) => root !== holding.root && this.countOf(root) === 0
    ).length
    if (this.#held.length + (isBest ? 0 : reserved) >= MOST_PREFIXES) return false
    const lasting = [...this.#held.filter(({ isShortened }) => !isShortened), holding]
    if (lasting.length > PREFERRED_PREFIXES) {
      const lowest = lasting.toSorted(byPriority).at(-1)
      if (lowest === holding && !isBest) return false
      if (lowest !== undefined) lowest.isShortened = true
    }
    this.#held.push(holding)
    return true
  }
}

/** Highest first: the best of every global prefix, then the shortest; what came first is before its equals. */
function byPriority(x: Holding, y: Holding): number {
  return (
    x.rank - y.rank ||
    x.block.length - y.block.length ||
    x.arrival - y.arrival ||
    comparePrefixes(x.block, y.block)
  )
}
