import { PrefixTable, ipAddressFromBytes, ipAddressToBytes, prefixKey, prefixOf } from '@breakwater/core'
import type { IpPrefix, PrefixEntry } from '@breakwater/core'
import type { DomainName } from '../domain/identifier.ts'
import type { Site, Translation } from '../domain/site.ts'
import { ClassTable } from './class-table.ts'

/** What the world sees in place of an internal prefix, through one domain. */
export interface TranslatedPrefix {
  readonly domain: DomainName
  readonly internal: IpPrefix
  readonly external: IpPrefix
}

/** How the domains of a site translate one internal prefix; none: nobody outside can reach it. */
export type Translations = readonly (Translation & { readonly domain: DomainName })[]

/**
 * The internal prefixes of a site, with the longest translation of each domain; undefined when there are none.
 * @see RFC 9132 §3: requests name addresses as the server sees them.
 */
export function internalTable(site: Site): ClassTable<Translations> | undefined {
  const all = site.domains.map(({ name, translations = [] }) => ({
    name,
    table: new PrefixTable(translations.map((each) => ({ prefix: each.internal, value: each })))
  }))
  const mapped = site.domains.flatMap(({ translations = [] }) => translations.map(({ internal }) => internal))
  const borders = new Map([...(site.internal ?? []), ...mapped].map((each) => [prefixKey(each), each]))
  if (borders.size === 0) return undefined
  const entries = [...borders.values()].map((prefix): PrefixEntry<Translations> => {
    const value = all.flatMap(({ name, table }) => {
      const found = table.longestCover(prefix)?.value
      return found === undefined ? [] : [{ ...found, domain: name }]
    })
    return { prefix, value }
  })
  return new ClassTable(entries)
}

/** What the world sees of a prefix inside the internal side of a translation. */
export function translate({ internal, external }: Translation, prefix: IpPrefix): IpPrefix {
  if (external.length !== internal.length) return external
  const [inner, outer] = [ipAddressToBytes(prefix.address), ipAddressToBytes(external.address)]
  const bytes = outer.map((byte, index) => {
    const bits = Math.min(8, Math.max(0, external.length - 8 * index))
    const network = (0xff << (8 - bits)) & 0xff
    return (byte & network) | ((inner[index] ?? 0) & ~network)
  })
  return prefixOf(ipAddressFromBytes(bytes), prefix.length)
}
