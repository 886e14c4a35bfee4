import { formatIpPrefix, parseIpPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { DomainName } from '@breakwater/dots'
import type { Site, SingleProvider } from '@breakwater/dots'
import type { ClientConfig } from './client-config.ts'
import { present } from './draft.ts'
import type { Draft } from './draft.ts'
import type { ConfigPath } from './shape.ts'
import { parseDate } from './text-format.ts'

type Shared = Pick<
  Site,
  'internal' | 'groups' | 'providers' | 'consents' | 'filters' | 'allowsSharedServerAddresses'
>

type Texts = readonly (string | undefined)[] | undefined

/** What the domains of a site have in common. Notes where each of them stands. */
export function sharedOf({ site }: Draft<ClientConfig>, places: Map<string, ConfigPath>): Shared {
  const note = (kind: string, key: string, index: number, name: string): void => {
    places.set(`${kind} ${name}`, ['site', key, index])
  }
  const groups = present(site?.groups).flatMap(([index, { name, domains, prefixes }]) => {
    if (name === undefined) return []
    note('group', 'groups', index, name)
    return [{ name, domains: namesOf(domains), prefixes: prefixesOf(prefixes) }]
  })
  const providers = present(site?.providers).flatMap(([index, draft]): SingleProvider[] => {
    const { name, domains, attachments = 'all', serversCoordinate } = draft
    if (name === undefined) return []
    note('provider', 'providers', index, name)
    const provider = { name, domains: namesOf(domains), attachments }
    return [serversCoordinate === true ? { ...provider, serversCoordinate } : provider]
  })
  const consents = present(site?.consents).flatMap(([index, draft]) => {
    const { name, of, to, givenBy = '', prefixes } = draft
    const [from, until] = [parseDate(draft.date ?? ''), parseDate(draft.until ?? '')]
    if (name === undefined || of === undefined || to === undefined) return []
    if (from === undefined || until === undefined) return []
    note('consent', 'consents', index, name)
    const pair = { of: DomainName(of), to: DomainName(to) }
    return [{ name, ...pair, prefixes: prefixesOf(prefixes), givenBy, from, until }]
  })
  const filters = present(site?.filters).flatMap(([index, { name, prefixes }]) => {
    if (name === undefined) return []
    note('filter', 'filters', index, name)
    return [{ name, prefixes: prefixesOf(prefixes) }]
  })
  const internal = prefixesOf(site?.internal)
  for (const [index, prefix] of internal.entries())
    places.set(`internal ${formatIpPrefix(prefix)}`, ['site', 'internal', index])
  const shared = { internal, groups, providers, consents, filters }
  return site?.allowSharedServerAddresses === true ? { ...shared, allowsSharedServerAddresses: true } : shared
}

function namesOf(texts: Texts): DomainName[] {
  return present(texts).map(([, text]) => DomainName(text))
}

function prefixesOf(texts: Texts): IpPrefix[] {
  return present(texts).flatMap(([, text]) => parseIpPrefix(text) ?? [])
}
