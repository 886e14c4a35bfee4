import {
  formatIpPrefix,
  ipAddressFromBytes,
  ipAddressToBytes,
  prefixContains,
  prefixOf
} from '@breakwater/core'
import { prefix } from '../addressing.ts'
import { isOfNetwork } from '../scenario.ts'
import type { NetworkFault } from '../scenario.ts'
import type { DomainPlan, MultihomedScenario } from './multihomed-scenario.ts'

/** What becomes of a network under these changes, in the order in which they began. */
export function changed(scenario: MultihomedScenario, changes: readonly NetworkFault[]): MultihomedScenario {
  return changes.reduce(changedBy, scenario)
}

/** All that a network becomes one after the other, also for no time at all; at first it is as it was planned. */
export function statesOf({ faults }: MultihomedScenario): readonly (readonly NetworkFault[])[] {
  const moments = faults
    .filter(isOfNetwork)
    .flatMap((change) => [
      { at: change.at, change, isBeginning: true },
      { at: change.at + change.lasts, change, isBeginning: false }
    ])
    .toSorted((a, b) => a.at - b.at)
  let active: readonly NetworkFault[] = []
  const states = moments.map(({ change, isBeginning }) => {
    active = isBeginning ? [...active, change] : active.filter((each) => each !== change)
    return active
  })
  return [[], ...states]
}

function changedBy(scenario: MultihomedScenario, change: NetworkFault): MultihomedScenario {
  switch (change.kind) {
    case 'renumbering':
      return renumbered(scenario, change.domain)
    case 'provider-vanishes':
      return without(scenario, change.domain)
    case 'prefix-moves':
      return withMovedPrefix(scenario, change)
    case 'address-vanishes':
      return withLostAddress(scenario, change)
  }
}

/** Each prefix of the domain is another one, of the same length, and all that goes with it. */
function renumbered(scenario: MultihomedScenario, number: number): MultihomedScenario {
  const own = (scenario.domains[number]?.prefixes ?? []).map(prefix)
  const next = (text: string): string =>
    own.some((each) => prefixContains(each, prefix(text))) ? elsewhere(text) : text
  return {
    ...scenario,
    domains: scenario.domains.map((domain, index) => ({
      ...domain,
      protects: domain.protects.map(next),
      ...(index === number
        ? {
            prefixes: domain.prefixes.map(next),
            translations: domain.translations.map(({ internal, external }) => ({
              internal,
              external: next(external)
            })),
            standing: domain.standing.map((each) => ({ ...each, prefix: next(each.prefix) }))
          }
        : {})
    })),
    consents: scenario.consents.map((consent) =>
      consent.of === number ? { ...consent, prefixes: consent.prefixes.map(next) } : consent
    ),
    clients: scenario.clients.map((client) => ({
      ...client,
      filters: [...new Set(client.filters.flatMap((text) => [text, next(text)]))]
    }))
  }
}

/** `100.…` becomes `101.…`, and `2001:db8:…` becomes `2001:db9:…`: there nobody else is. */
function elsewhere(text: string): string {
  const { address, length } = prefix(text)
  const bytes = ipAddressToBytes(address)
  const index = address.family === 4 ? 0 : 3
  bytes[index] = (bytes[index] ?? 0) + 1
  return formatIpPrefix(prefixOf(ipAddressFromBytes(bytes), length))
}

/** Its link and its service are gone; a client that would have none left keeps it. */
function without(scenario: MultihomedScenario, number: number): MultihomedScenario {
  return {
    ...scenario,
    clients: scenario.clients.map((client) => {
      const domains = client.domains.filter((each) => each !== number)
      const isLinked = domains.some((each) => scenario.domains[each]?.kind === 'access')
      return isLinked ? { ...client, domains } : client
    })
  }
}

/** A prefix of one provider is another one's; what was agreed on it with the first is over. */
function withMovedPrefix(
  scenario: MultihomedScenario,
  { domain: from, strength }: NetworkFault
): MultihomedScenario {
  const own = scenario.domains[from]?.prefixes ?? []
  const moving = own[Math.floor(strength * own.length)]
  const others = [...scenario.domains.keys()].filter(
    (each) => each !== from && scenario.domains[each]?.kind === 'access'
  )
  const to = others[Math.floor(strength * 997) % others.length]
  if (moving === undefined || to === undefined) return scenario
  const isApart = (text: string): boolean => !prefixContains(prefix(moving), prefix(text))
  const given = ({ prefixes, translations, standing, ...domain }: DomainPlan): DomainPlan => ({
    ...domain,
    prefixes: prefixes.filter((text) => text !== moving),
    standing: standing.filter((each) => isApart(each.prefix)),
    translations: translations.filter(({ external }) => isApart(external))
  })
  return {
    ...scenario,
    domains: scenario.domains.map((domain, index) => {
      if (index === from) return given(domain)
      return index === to ? { ...domain, prefixes: [...domain.prefixes, moving] } : domain
    }),
    consents: scenario.consents
      .map((consent) =>
        consent.of === from ? { ...consent, prefixes: consent.prefixes.filter(isApart) } : consent
      )
      .filter(({ prefixes }) => prefixes.length > 0)
  }
}

/** The link has no address of one family any more. */
function withLostAddress(
  scenario: MultihomedScenario,
  { domain: number, strength }: NetworkFault
): MultihomedScenario {
  return {
    ...scenario,
    domains: scenario.domains.map((domain, index) => {
      const lost = domain.families[Math.floor(strength * domain.families.length)]
      return index === number && lost !== undefined ? { ...domain, lost: [...domain.lost, lost] } : domain
    })
  }
}
