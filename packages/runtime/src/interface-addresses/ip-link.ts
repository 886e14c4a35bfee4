import type { Carriers } from '@breakwater/dots'

/**
 * Reads what `ip -json link show` prints. A link that is not up has no carrier, whatever is attached to it.
 * @throws SyntaxError when it is not JSON.
 */
export function carriersOfIpLink(text: string): Carriers {
  const links: unknown = text.trim() === '' ? [] : JSON.parse(text)
  if (!Array.isArray(links)) return new Map()
  return new Map(links.flatMap((link: unknown) => carrierOf(link)))
}

function carrierOf(link: unknown): (readonly [name: string, isUp: boolean])[] {
  if (typeof link !== 'object' || link === null || !('ifname' in link) || !('flags' in link)) return []
  const { ifname, flags } = link
  if (typeof ifname !== 'string' || !Array.isArray(flags)) return []
  return [[ifname, flags.includes('UP') && flags.includes('LOWER_UP')]]
}
