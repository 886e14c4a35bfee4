import { formatIpPrefix, prefixesOverlap } from '@breakwater/core'
import { rootsAbove } from './delegation.ts'
import type { Delegations, RefusedBecause, RefusedDelegation } from './delegation.ts'
import type { LinkPrefix, UnnumberedLink } from './link-numbering.ts'
import { MOST_PREFIXES, PREFERRED_PREFIXES } from './requester-share.ts'
import { LINK_PREFIX_LENGTH, fanOut } from './subnet-id.ts'
import type { SiteTopology } from './topology.ts'

/** What a plan cannot give. `error`: something of the site stays without addresses, or may go to the wrong provider. */
export interface NumberingProblem {
  readonly code:
    | 'PREFIXES_OVERLAP'
    | 'PREFIX_TOO_LONG'
    | 'FAN_OUT_EXHAUSTED'
    | 'TOO_DEEP'
    | 'TOO_MANY_PREFIXES'
    | 'LINK_CAPACITY'
    | 'LINK_WITHOUT_PREFIX'
    | 'TOO_MANY_ADDRESSES'
    | 'PREFIX_WITHOUT_SERVER'
    | 'PREFIX_WITHOUT_EXIT'
  readonly severity: 'error' | 'warning'
  /** `prefix 2001:db8::/48`, `router cpe`, `link lan`, `domain isp-a`. */
  readonly place: string
  readonly message: string
}

/** What was made of a topology, for the checks. */
export interface Numbering {
  readonly delegations: Delegations
  readonly prefixes: readonly LinkPrefix[]
  readonly unnumbered: readonly UnnumberedLink[]
}

/** Everything that is wrong with a numbering, at once. */
export function checkNumbering(topology: SiteTopology, numbering: Numbering): NumberingProblem[] {
  return [
    ...overlaps(topology),
    ...tooLong(topology),
    ...domainsWithout(topology),
    ...unserved(topology, numbering.delegations),
    ...fullBlocks(numbering),
    ...bareLinks(topology, numbering),
    ...crowdedLinks(topology, numbering)
  ]
}

/** Two providers' prefixes, one inside the other: a /64 of one would be classed as the other's. */
function overlaps({ site }: SiteTopology): NumberingProblem[] {
  const all = site.domains.flatMap(({ name, prefixes }) => prefixes.map((prefix) => ({ name, prefix })))
  return all.flatMap((x, index) =>
    all.slice(index + 1).flatMap((y): NumberingProblem[] => {
      if (!prefixesOverlap(x.prefix, y.prefix)) return []
      const [textX, textY] = [formatIpPrefix(x.prefix), formatIpPrefix(y.prefix)]
      const message = `${textX} of ${x.name} and ${textY} of ${y.name} overlap: their links would share addresses`
      return [{ code: 'PREFIXES_OVERLAP', severity: 'error', place: `prefix ${textY}`, message }]
    })
  )
}

function tooLong({ site }: SiteTopology): NumberingProblem[] {
  return site.domains.flatMap(({ prefixes }) =>
    prefixes
      .filter(({ address, length }) => address.family === 6 && length > LINK_PREFIX_LENGTH)
      .map((prefix): NumberingProblem => {
        const text = formatIpPrefix(prefix)
        const message = `${text} is longer than the /64 that one link needs: nothing is numbered from it`
        return { code: 'PREFIX_TOO_LONG', severity: 'error', place: `prefix ${text}`, message }
      })
  )
}

/** RFC 9284 §4: a domain without a server cannot help; one without an exit has prefixes that no packet can use. */
function domainsWithout({ site, routers }: SiteTopology): NumberingProblem[] {
  return site.domains.flatMap(({ name, prefixes, servers }) => {
    const problems: NumberingProblem[] = []
    const place = `domain ${name}`
    const texts = prefixes.map((prefix) => formatIpPrefix(prefix)).join(', ')
    if (prefixes.length > 0 && servers.length === 0)
      problems.push({
        code: 'PREFIX_WITHOUT_SERVER',
        severity: 'warning',
        place,
        message: `${name} has no DOTS server: nobody can be asked to protect ${texts}`
      })
    if (!routers.some(({ exits }) => exits.includes(name)))
      problems.push({
        code: 'PREFIX_WITHOUT_EXIT',
        severity: 'error',
        place,
        message: `no router has an exit to ${name}${texts === '' ? '' : `: ${texts} cannot be used`}`
      })
    return problems
  })
}

const refusedCodes: Readonly<Record<Exclude<RefusedBecause, 'loop'>, NumberingProblem['code']>> = {
  'fan-out': 'FAN_OUT_EXHAUSTED',
  depth: 'TOO_DEEP',
  limit: 'TOO_MANY_PREFIXES'
}

/** A router that gets a global prefix by no way, though there is one; what it gets by another way is no problem. */
function unserved(topology: SiteTopology, { holdings, refused }: Delegations): NumberingProblem[] {
  return topology.routers.flatMap(({ name }) =>
    rootsAbove(topology, name)
      .filter((root) => !holdings.some((holding) => holding.router === name && holding.root === root))
      .flatMap((root) => {
        const why = refused.find(
          (each) => each.router === name && each.root === root && each.because !== 'loop'
        )
        // Nothing was offered: whoever is in between is told of in its place.
        if (why === undefined || why.because === 'loop') return []
        const message = `${name} gets nothing of ${root}: ${reasonOf(topology, why)}`
        return [
          { code: refusedCodes[why.because], severity: 'error' as const, place: `router ${name}`, message }
        ]
      })
  )
}

function reasonOf(
  { delegatingBits }: SiteTopology,
  { because, delegating, root }: RefusedDelegation
): string {
  const giver = delegating?.router ?? 'the provider'
  const block = delegating === undefined ? root : formatIpPrefix(delegating.block)
  switch (because) {
    case 'fan-out':
      return `${giver} serves ${fanOut(delegatingBits)} routers from ${block} and has no block left`
    case 'depth':
      return `${giver} has ${block}, which is too small to delegate from`
    case 'limit':
      return `it has ${MOST_PREFIXES} prefixes already, the most that a router may have`
    case 'loop':
      return `${block} lies inside of what it delegated itself`
  }
}

function fullBlocks({ prefixes, unnumbered }: Numbering): NumberingProblem[] {
  return unnumbered.map(({ link, holding, capacity }): NumberingProblem => {
    const { router, block, domain } = holding
    const hasOther = prefixes.some((entry) => entry.link === link && entry.domain === domain)
    const room = capacity === 1 ? 'one link' : `${capacity} links`
    const message = `${router} can number ${room} from ${formatIpPrefix(block)} of ${domain}, and ${link} is one too many`
    return {
      code: 'LINK_CAPACITY',
      severity: hasOther ? 'warning' : 'error',
      place: `router ${router}`,
      message
    }
  })
}

function bareLinks({ links }: SiteTopology, { prefixes }: Numbering): NumberingProblem[] {
  return links
    .filter(({ name }) => !prefixes.some(({ link }) => link === name))
    .map(({ name }) => ({
      code: 'LINK_WITHOUT_PREFIX',
      severity: 'error',
      place: `link ${name}`,
      message: `${name} gets no prefix: no router that has one numbers it`
    }))
}

function crowdedLinks({ links }: SiteTopology, { prefixes }: Numbering): NumberingProblem[] {
  return links.flatMap(({ name }): NumberingProblem[] => {
    const count = prefixes.filter(({ link }) => link === name).length
    if (count <= PREFERRED_PREFIXES) return []
    const kept = Math.min(count, MOST_PREFIXES)
    const message = `${name} has ${count} prefixes: its hosts prefer addresses of ${PREFERRED_PREFIXES} and have ${kept} at most`
    return [{ code: 'TOO_MANY_ADDRESSES', severity: 'warning', place: `link ${name}`, message }]
  })
}
