import { equalIpAddresses, equalPrefixes, isMulticast, isUnspecified, prefixOf } from '@breakwater/core'
import type { IpAddress, IpFamily, IpPrefix, PrefixTable } from '@breakwater/core'
import type { LocalAddress } from '../domain/local-address.ts'
import type { ProvisioningDomain, Site } from '../domain/site.ts'
import { strangersTo } from './address-class.ts'
import type { AddressClass } from './address-class.ts'
import { orderDestinations } from './address-selection/destination-selection.ts'
import { isDeprecated } from './address-selection/deprecation.ts'
import { scopeOf } from './address-selection/scope.ts'
import type { Destination, SelectionContext } from './address-selection/selection-context.ts'
import { selectionContext } from './address-selection/selection-settings.ts'
import { chosenSource, orderSources } from './address-selection/source-selection.ts'
import type { IllegalPath } from './legal-path.ts'

/**
 * The local addresses that sessions of one domain may leave from: the operator's `sources` in their order; where there are
 * none, the host's addresses in the order of RFC 6724, less those that another domain assigned, or has by an interface of
 * its own (RFC 9284 §5.1).
 */
export class LegalSources {
  readonly illegal: readonly IllegalPath[]
  readonly #chosen: readonly IpAddress[]
  readonly #context: SelectionContext

  constructor(site: Site, domain: ProvisioningDomain, classes: PrefixTable<AddressClass>) {
    const { legal, illegal } = legalLocals(site, domain, classes)
    this.illegal = illegal
    this.#chosen = domain.sources.length === 0 ? [] : legal.map(({ address }) => address)
    this.#context = selectionContext(legal, site.addressSelection)
  }

  hasFamily(family: IpFamily): boolean {
    return this.#context.locals.some(({ address }) => address.family === family)
  }

  /** Sources towards `remote` by an interface (undefined: any active one), the preferred one first. */
  to(remote: IpAddress, via: string | undefined): readonly IpAddress[] {
    if (this.#chosen.length > 0) return this.#chosen.filter((source) => this.#mayChoose(source, remote))
    const ordered = orderSources(this.#context, destinationOf(remote, via))
    // What a router would not carry gets no answer, however it is ordered (RFC 4007 §9).
    const wide = ordered.filter(({ address }) => scopeOf(address) >= scopeOf(remote))
    return worthTrying(wide).map(({ address }) => address)
  }

  /** RFC 6724 §4: a choice is respected among the candidates; which interface has it, the operator knows better. */
  #mayChoose(source: IpAddress, remote: IpAddress): boolean {
    return chosenSource(this.#context, destinationOf(remote, undefined), source).ok
  }

  /** Addresses of a server, by RFC 6724 §6; of one family, lest RFC 9132 §4.3 be overruled. */
  inOrder(remotes: readonly IpAddress[]): readonly IpAddress[] {
    const destinations = remotes.map((remote) => destinationOf(remote, undefined))
    return orderDestinations(this.#context, destinations).map(({ destination }) => destination.address)
  }
}

function destinationOf(address: IpAddress, via: string | undefined): Destination {
  return { address, route: via === undefined ? {} : { interface: { name: via } } }
}

/**
 * Of ordered sources one for each interface and prefix, as a second one leads the same way; and no deprecated one beside
 * one that is not (RFC 4862 §5.5.4).
 */
function worthTrying(ordered: readonly LocalAddress[]): readonly LocalAddress[] {
  const preferred = ordered.filter((local) => !isDeprecated(local))
  const usable = preferred.length > 0 ? preferred : ordered
  return usable.filter((local, index) => usable.findIndex((other) => leadsAs(other, local)) === index)
}

function leadsAs(x: LocalAddress, y: LocalAddress): boolean {
  return x.interface.name === y.interface.name && equalPrefixes(prefixOfLocal(x), prefixOfLocal(y))
}

function prefixOfLocal({ address, prefixLength }: LocalAddress): IpPrefix {
  return prefixOf(address, prefixLength)
}

function legalLocals(
  site: Site,
  domain: ProvisioningDomain,
  classes: PrefixTable<AddressClass>
): { readonly legal: readonly LocalAddress[]; readonly illegal: readonly IllegalPath[] } {
  const { name, sources, localAddresses } = domain
  const illegal: IllegalPath[] = []
  const isChosen = sources.length > 0
  const locals = isChosen ? sources.map((source) => chosen(source, domain, classes)) : (localAddresses ?? [])
  const legal = locals.flatMap((local): LocalAddress[] => {
    const found = classes.longestMatch(local.address)?.value
    const owners = strangersTo(name, found)
    if (owners.length > 0) illegal.push({ kind: 'source-of-another', source: local.address, owners })
    if (isMulticast(local.address) || isUnspecified(local.address))
      illegal.push({ kind: 'no-unicast-source', source: local.address })
    if (owners.length > 0 || (!isChosen && found === undefined && !isOwnLink(site, domain, local))) return []
    // What the site knows as this domain's may leave by the domain's interface, whichever has it (RFC 6724 §4).
    return [found === undefined ? local : { ...local, interface: { ...local.interface, isForwarding: true } }]
  })
  if (!isChosen && legal.length === 0) illegal.push({ kind: 'no-source', domain: name })
  return { legal, illegal }
}

/** Whether an address of no class may be the domain's: by its interface, or by one that is nobody else's. */
function isOwnLink(site: Site, domain: ProvisioningDomain, { interface: own }: LocalAddress): boolean {
  if (domain.interfaces.length > 0) return domain.interfaces.includes(own.name)
  return !site.domains.some((other) => other !== domain && other.interfaces.includes(own.name))
}

/** What is known of an address that the operator chose. */
function chosen(
  source: IpAddress,
  { localAddresses }: ProvisioningDomain,
  classes: PrefixTable<AddressClass>
): LocalAddress {
  const known = localAddresses?.find(({ address }) => equalIpAddresses(address, source))
  if (known !== undefined) return known
  const prefixLength = classes.longestMatch(source)?.prefix.length ?? (source.family === 6 ? 64 : 32)
  return { address: source, prefixLength, interface: { name: '' } }
}
