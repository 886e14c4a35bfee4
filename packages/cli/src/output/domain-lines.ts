import type { DomainView, DomainsView, FactView } from '@breakwater/control'
import { hanging, table } from './table.ts'
import { durationText } from './words.ts'

/** Domains for people: each with what it has, from whom, for how long; then what is no domain's. */
export function domainLines({ domains, unclaimed }: DomainsView): string[] {
  const ofDomains = domains.flatMap((domain, index) => [...(index === 0 ? [] : ['']), ...linesOf(domain)])
  if (unclaimed.length === 0) return ofDomains
  const rest = unclaimed.flatMap(({ source, key, origin, interface: via, reason }) => {
    const place = via === undefined ? '' : ` on ${via}`
    return hanging('  ', `${source} ${key} (${origin}${place}): ${reason}`)
  })
  return [...ofDomains, '', 'of no domain', ...rest]
}

function linesOf({ domain, kind, interfaces, learnsFrom, facts }: DomainView): string[] {
  const where = interfaces.length === 0 ? '' : ` on ${interfaces.join(', ')}`
  const learns = learnsFrom === undefined ? '' : `, learns from ${learnsFrom.join(', ')}`
  const head = hanging('', `${domain}: ${kind === 'service' ? 'a service' : 'a provider'}${where}${learns}`)
  if (facts.length === 0) return [...head, '  nothing is known of it']
  const rows = facts.map((fact) => [
    fact.kind.replace('-', ' '),
    fact.text,
    originText(fact),
    standingText(fact)
  ])
  return [...head, ...table(['WHAT', 'VALUE', 'FROM', 'STATE'], rows, 2)]
}

function originText({ origin, interface: via }: FactView): string {
  return via === undefined ? origin : `${origin} ${via}`
}

function standingText({ state, reason, validSeconds, preferredSeconds }: FactView): string {
  const standing = reason === undefined ? state : `${state}: ${reason}`
  const valid = validSeconds === undefined ? '' : `, ${durationText(validSeconds)} left`
  const isShorter = preferredSeconds !== undefined && preferredSeconds !== validSeconds
  if (!isShorter) return `${standing}${valid}`
  const preferred = preferredSeconds === 0 ? 'deprecated' : `preferred for ${durationText(preferredSeconds)}`
  return `${standing}${valid}, ${preferred}`
}
