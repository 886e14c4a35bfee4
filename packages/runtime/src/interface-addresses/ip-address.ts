import { addressBits, parseIpAddress } from '@breakwater/core'
import type { AddressState, LocalAddress, LocalInterface } from '@breakwater/dots'

type Entry = Readonly<Record<string, unknown>>

/** Kinds of links that put what is sent into other packets. */
const ENCAPSULATING: ReadonlySet<unknown> = new Set(['sit', 'ipip', 'gre', 'tunnel6', 'gre6'])

/**
 * Reads what `ip -json address show` prints: one object per interface, each with a list of its addresses. Whatever else
 * stands there is left out.
 * @throws SyntaxError when it is not JSON.
 */
export function addressesOfIpAddress(text: string): LocalAddress[] {
  const links: unknown = text.trim() === '' ? [] : JSON.parse(text)
  if (!Array.isArray(links)) return []
  return links.flatMap((link: unknown) => {
    if (!isEntry(link) || typeof link['ifname'] !== 'string' || !isUp(link)) return []
    const own = interfaceOf(link['ifname'], link)
    const infos: readonly unknown[] = Array.isArray(link['addr_info']) ? link['addr_info'] : []
    return infos.flatMap((info) => (isEntry(info) ? addressOf(info, own) : []))
  })
}

function isUp({ flags }: Entry): boolean {
  return Array.isArray(flags) && flags.includes('UP')
}

function interfaceOf(name: string, link: Entry): LocalInterface {
  return ENCAPSULATING.has(link['link_type']) ? { name, isEncapsulating: true } : { name }
}

function addressOf(info: Entry, own: LocalInterface): LocalAddress[] {
  const { local, prefixlen } = info
  const address = typeof local === 'string' ? parseIpAddress(local) : undefined
  if (address === undefined || !isLength(prefixlen, addressBits(address.family))) return []
  const isOptimistic = info['optimistic'] === true
  if (info['dadfailed'] === true || (info['tentative'] === true && !isOptimistic)) return []
  return [
    {
      address,
      prefixLength: prefixlen,
      interface: own,
      state: stateOf(info, isOptimistic),
      isTemporary: info['temporary'] === true,
      mobility: info['home'] === true ? 'home' : 'at-home'
    }
  ]
}

function stateOf(info: Entry, isOptimistic: boolean): AddressState {
  if (info['deprecated'] === true || info['preferred_life_time'] === 0) return 'deprecated'
  return isOptimistic ? 'optimistic' : 'preferred'
}

function isLength(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null
}
