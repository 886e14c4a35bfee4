import type { IpPrefix } from '@breakwater/core'
import type { DomainName } from '../../domain/identifier.ts'

/** A block that a router has, and from whom. */
export interface Holding {
  readonly router: string
  readonly domain: DomainName
  /** The global prefix that it is a part of, as text. */
  readonly root: string
  readonly block: IpPrefix
  /** What it was delegated from; undefined: from the provider. */
  readonly from: Holding | undefined
  /** 0: the router's first block of this global prefix. */
  readonly rank: number
  /** When it came, in the order of the plan. */
  readonly arrival: number
  /** Its lifetime was shortened, because the router has too many. */
  isShortened: boolean
}

/** Whether a block, or one that it was delegated from, is not to be used for long. */
export function isShortLived(holding: Holding): boolean {
  return holding.isShortened || (holding.from !== undefined && isShortLived(holding.from))
}
