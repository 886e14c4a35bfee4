import { formatIpAddress } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { assignedPrefixes, renumbered, siteAddresses } from './addressing.ts'
import type { NetworkFault, SitePlan } from './scenario.ts'

/** A site as it is now: the providers that it has, and what they assign. */
export interface PresentSite extends SitePlan {
  /** By provider. */
  readonly assigned: (provider: number) => readonly string[]
  readonly addresses: (provider: number) => readonly IpAddress[]
}

export function asPlanned(site: SitePlan): PresentSite {
  return changed(site, [])
}

/** What becomes of a site when providers renumber it, or vanish; the last one stays. */
export function changed(site: SitePlan, changes: readonly NetworkFault[]): PresentSite {
  const { number, standing, announcedThrough } = site
  const gone = new Set(changes.filter(({ kind }) => kind === 'provider-vanishes').map(({ domain }) => domain))
  const left = site.attachments.filter((provider) => !gone.has(provider))
  const attachments = left.length === 0 ? site.attachments.slice(0, 1) : left
  const isRenumbered = (provider: number): boolean =>
    changes.some(({ kind, domain }) => kind === 'renumbering' && domain === provider)
  return {
    ...site,
    attachments,
    announcedThrough: announcedThrough.filter((provider) => attachments.includes(provider)),
    standing: standing
      .filter(({ provider }) => attachments.includes(provider))
      .map((each) => (isRenumbered(each.provider) ? { ...each, prefix: renumbered(each.prefix) } : each)),
    assigned: (provider) => {
      const prefixes = assignedPrefixes(number, provider)
      return isRenumbered(provider) ? prefixes.map(renumbered) : prefixes
    },
    addresses: (provider) => {
      const own = siteAddresses(number, provider)
      return isRenumbered(provider) ? own.map(renumberedAddress) : own
    }
  }
}

export function renumberedAddress(own: IpAddress): IpAddress {
  return address(renumbered(formatIpAddress(own)))
}
