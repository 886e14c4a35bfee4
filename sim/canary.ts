import type { Site } from '@breakwater/dots'
import { assignedPrefixes } from './addressing.ts'
import type { Course, Scenario } from './scenario.ts'
import type { Customer } from './world/customer.ts'
import type { Provider } from './world/provider.ts'

/** A known bug that is planted in a world, to see that the invariants notice. */
export interface PlantedBug {
  readonly name: string
  /** The invariant that must notice it. */
  readonly noticedBy: string
  readonly changeSite?: (site: Site) => Site
  readonly changeProvider?: (provider: Provider) => void
  readonly changeCustomer?: (customer: Customer) => void
}

export interface Canary<AnyScenario extends Course> extends PlantedBug {
  /** What has to happen for the bug to matter. */
  readonly changeScenario?: (scenario: AnyScenario) => AnyScenario
}

export const CANARIES: readonly Canary<Scenario>[] = [
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
  },
  {
    name: 'a filter device that has none of the rules it says are in force',
    noticedBy: 'agreement',
    changeProvider: ({ device }) => {
      device.appliesNothing = true
    }
  },
  {
    name: 'a mitigator that throws where it should reject',
    noticedBy: 'no-fault',
    changeProvider: ({ device }) => {
      device.throws = true
    }
  },
  {
    name: 'a disk that deletes nothing',
    noticedBy: 'nothing-left',
    changeProvider: ({ disk }) => {
      disk.keepsRecords = true
    }
  },
  {
    name: 'a client whose endpoints are bound to no interface',
    noticedBy: 'own-path',
    changeCustomer: ({ flaws }) => {
      flaws.isUnbound = true
    }
  },
  {
    name: 'a client in a hurry',
    noticedBy: 'pacing',
    changeCustomer: ({ flaws }) => {
      flaws.haste = 3
    }
  },
  {
    name: 'a client that never goes back to UDP',
    noticedBy: 'back-to-udp',
    changeScenario: withoutUdpAtTheEnd,
    changeCustomer: ({ flaws }) => {
      flaws.udpProbeSeconds = 24 * 3600
    }
  },
  {
    name: 'a client that follows a redirect out of the domain',
    noticedBy: 'own-path',
    changeScenario: withDetours,
    changeCustomer: ({ flaws }) => {
      flaws.leavesDomain = true
    }
  },
  {
    name: 'a server that sends clients away for ever',
    noticedBy: 'back-home',
    changeScenario: withDetours,
    changeProvider: ({ flaws }) => {
      flaws.redirectsForEver = true
    }
  },
  {
    name: 'a server that forgets what it agreed to of a session',
    noticedBy: 'agreement',
    changeScenario: (scenario) => ({ ...scenario, negotiates: 'by-activity' }),
    changeProvider: ({ flaws }) => {
      flaws.forgetsConfigurations = true
    }
  },
  {
    name: 'a server that cannot read what the version before it wrote',
    noticedBy: 'durable-answer',
    changeScenario: withUpgrades,
    changeProvider: ({ flaws }) => {
      flaws.readsNoOldRecords = true
    }
  },
  {
    name: 'a server that does nothing when a signal is lost',
    noticedBy: 'standing-request',
    changeProvider: ({ flaws }) => {
      flaws.policy = { onSignalLoss: 'ignore' }
    }
  },
  {
    name: 'a server that stops what is in force when a signal is there again',
    noticedBy: 'standing-request',
    changeScenario: withLossAndRecovery,
    changeProvider: ({ flaws }) => {
      flaws.stopsAtRecovery = true
    }
  },
  {
    name: 'a client that does not hear every wish',
    noticedBy: 'protection-accounted',
    changeCustomer: ({ flaws }) => {
      flaws.isDeaf = true
    }
  },
  {
    name: 'a client that does not hear that it was renumbered',
    noticedBy: 'protection-accounted',
    changeScenario: withRenumbering,
    changeCustomer: ({ flaws }) => {
      flaws.isUntoldOfNetwork = true
    }
  },
  {
    name: 'a client that compiles without regard to half of what is wanted',
    noticedBy: 'needed-target',
    changeScenario: withQuietSessions,
    changeCustomer: ({ flaws }) => {
      flaws.isTwo = true
    }
  }
]

/** All sites have TCP, and nothing else gets through in the last part of the storm. */
function withoutUdpAtTheEnd(scenario: Scenario): Scenario {
  const { sites, stormSeconds, faults } = scenario
  const blockades = sites.flatMap(({ number, attachments }) =>
    attachments.map((provider) => ({
      kind: 'udp-blocked' as const,
      at: stormSeconds - 800,
      lasts: 790,
      strength: 1,
      site: number,
      provider
    }))
  )
  return {
    ...scenario,
    sites: sites.map((site) => ({ ...site, transports: ['udp', 'tcp'] })),
    faults: [...faults, ...blockades]
  }
}

/** All providers have second servers, and send their clients there. */
function withDetours(scenario: Scenario): Scenario {
  const alternates = Array.from({ length: scenario.providers }, (_, provider) => provider)
  const detours = alternates.map((provider) => ({
    kind: 'redirect' as const,
    at: 30,
    lasts: scenario.stormSeconds - 40,
    strength: 0.5,
    provider
  }))
  const others = scenario.faults.filter(({ kind }) => kind !== 'redirect')
  return { ...scenario, alternates, faults: [...others, ...detours] }
}

/** Every provider changes over from an older version now and again. */
function withUpgrades(scenario: Scenario): Scenario {
  const upgrades = Array.from({ length: scenario.providers }, (_, provider) =>
    [300, 600, 850].map((at) => ({
      kind: 'server-upgrade' as const,
      at,
      lasts: 5,
      strength: 0.1,
      provider
    }))
  )
  return { ...scenario, faults: [...scenario.faults, ...upgrades.flat()] }
}

/** Nothing is asked but what stands by, and all links are cut for long enough. */
function withLossAndRecovery(scenario: Scenario): Scenario {
  const links = scenario.sites.flatMap(({ number, attachments }) =>
    attachments.map((provider) => ({ site: number, provider }))
  )
  const sites = scenario.sites.map((site) => ({
    ...site,
    standing: site.attachments.flatMap((provider) => {
      const [prefix] = assignedPrefixes(site.number, provider)
      return prefix === undefined ? [] : [{ provider, prefix, lifetimeSeconds: 1800 }]
    })
  }))
  return {
    ...scenario,
    sites,
    heartbeats: 'quick',
    negotiates: 'nothing',
    onSignalLoss: scenario.onSignalLoss.map(() => 'add' as const),
    actions: [],
    faults: links.map((link) => ({ ...link, kind: 'link-cut' as const, at: 200, lasts: 200, strength: 1 }))
  }
}

/** The first provider of each site renumbers it, and nothing else goes wrong. */
function withRenumbering(scenario: Scenario): Scenario {
  const domains = new Set(scenario.sites.flatMap(({ attachments }) => attachments.slice(0, 1)))
  const faults = [...domains].map((domain) => {
    return { kind: 'renumbering' as const, at: 100, lasts: 400, strength: 0.2, domain }
  })
  return { ...scenario, faults }
}

/** Nothing is said of sessions but heartbeats, and all over UDP: two clients that pass for one keep no pace together. */
function withQuietSessions(scenario: Scenario): Scenario {
  return {
    ...scenario,
    negotiates: 'nothing',
    sites: scenario.sites.map((site) => ({ ...site, transports: ['udp'] })),
    faults: []
  }
}
