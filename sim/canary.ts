import type { Site } from '@breakwater/dots'
import type { Provider } from './world/provider.ts'

/** A known bug that is planted in a world, to see that the invariants notice. */
export interface Canary {
  readonly name: string
  /** The invariant that must notice it. */
  readonly noticedBy: string
  readonly changeSite?: (site: Site) => Site
  readonly changeProvider?: (provider: Provider) => void
}

export const CANARIES: readonly Canary[] = [
  {
    name: 'a server that answers before the commit',
    noticedBy: 'durable-answer',
    changeProvider: ({ disk }) => {
      disk.confirmsEarly = true
    }
  },
  {
    name: 'a placement that takes what one provider assigned for provider-independent',
    noticedBy: 'entitled-server',
    changeSite: (site) => ({
      domains: site.domains.map((domain, index) => (index === 0 ? { ...domain, prefixes: [] } : domain)),
      providerIndependent: [
        ...site.providerIndependent,
        ...(site.domains[0]?.prefixes ?? []).map((prefix) => ({ prefix }))
      ]
    })
  },
  {
    name: 'a filter device that keeps the rules it says are gone',
    noticedBy: 'timely-end',
    changeProvider: ({ device }) => {
      device.keepsRules = true
    }
  }
]
