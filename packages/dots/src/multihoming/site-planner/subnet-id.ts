import { ipv6, prefixOf } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'

/**
 * The subnet id of draft-ohira: `delegated | delegating | link id`. What stands behind a router's block is its own:
 * `delegating` 0 makes the rest a link number of this router, any other value is the block of a requesting router.
 */

/** A link has a prefix of this length (RFC 4291 §2.5.1). */
export const LINK_PREFIX_LENGTH = 64

/** How many requesting routers one block serves: the value 0 is the router's own. */
export function fanOut(delegatingBits: number): number {
  return 2 ** delegatingBits - 1
}

/** How many links a router can number from a block; a block too small for a delegating field is all links. */
export function linkCapacity(block: IpPrefix, delegatingBits: number): number {
  const left = LINK_PREFIX_LENGTH - block.length
  if (left < 0) return 0
  return 2 ** (left < delegatingBits ? left : left - delegatingBits)
}

/** Whether what is delegated from a block still has a delegating field of its own. */
export function canDelegate(block: IpPrefix, delegatingBits: number): boolean {
  return block.length + 2 * delegatingBits <= LINK_PREFIX_LENGTH
}

/** The block of the requesting router `index`, 1 … `fanOut`. */
export function delegatedBlock(block: IpPrefix, delegatingBits: number, index: number): IpPrefix {
  return subPrefix(block, block.length + delegatingBits, index)
}

/** The /64 of link `index`, 0 … `linkCapacity` - 1, of the router that has `block`. */
export function linkPrefix(block: IpPrefix, index: number): IpPrefix {
  return subPrefix(block, LINK_PREFIX_LENGTH, index)
}

/** The prefix number `index` of `length` bits in `block`; both at most /64. */
function subPrefix(block: IpPrefix, length: number, index: number): IpPrefix {
  const { a, b } = block.address
  const bits = (BigInt(a) << 32n) | BigInt(b) | (BigInt(index) << BigInt(LINK_PREFIX_LENGTH - length))
  return prefixOf(ipv6(Number(bits >> 32n), Number(bits & 0xffff_ffffn), 0, 0), length)
}
