import type { DomainsView } from '@breakwater/control'
import type { ProvisioningReport } from '@breakwater/dots'

/** What is known of the domains, as the control API shows it. */
export function domainsView({ domains, unclaimed }: ProvisioningReport): DomainsView {
  return {
    domains: domains.map(({ domain, kind, interfaces, learnsFrom, facts }) => ({
      domain,
      kind,
      interfaces: [...interfaces],
      ...(learnsFrom === undefined ? {} : { learnsFrom: [...learnsFrom] }),
      facts: facts.map((fact) => ({ ...fact }))
    })),
    unclaimed: unclaimed.map((each) => ({ ...each }))
  }
}
