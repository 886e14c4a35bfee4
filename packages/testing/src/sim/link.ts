import { derivedSeed, seededEntropy } from '../seeded-entropy.ts'
import { Channel } from './channel.ts'
import type { LinkConditions } from './conditions.ts'
import type { PortTranslation } from './port-translation.ts'

/** Where a link is cut: what the host sends is lost (`up`), what is sent to it (`down`), or both. */
export type CutDirection = 'up' | 'down' | 'both'

/** What joins one interface of a host to the network. */
export class Link {
  /** From the host into the network. */
  readonly up: Channel
  /** From the network to the host. */
  readonly down: Channel
  /** BCP 38: drops what the host sends from an address that is not assigned to this interface. */
  ingressFilter: boolean
  /** Between the host and the network; undefined: none. */
  translation: PortTranslation | undefined

  constructor(name: string, seed: number, conditions: LinkConditions, ingressFilter: boolean) {
    this.up = new Channel(conditions, seededEntropy(derivedSeed(seed, `${name} up`)))
    this.down = new Channel(conditions, seededEntropy(derivedSeed(seed, `${name} down`)))
    this.ingressFilter = ingressFilter
  }

  /** Changes conditions in both directions. */
  change(conditions: Partial<LinkConditions>): void {
    this.up.change(conditions)
    this.down.change(conditions)
  }

  cut(direction: CutDirection = 'both'): void {
    this.#setCut(direction, true)
  }

  /** Ends a cut; all other conditions stay. */
  mend(direction: CutDirection = 'both'): void {
    this.#setCut(direction, false)
  }

  #setCut(direction: CutDirection, cut: boolean): void {
    if (direction !== 'down') this.up.change({ cut })
    if (direction !== 'up') this.down.change({ cut })
  }
}
