import type { Site } from '@breakwater/dots'
import type { Canary } from '../canary.ts'
import type { MultihomedScenario } from './multihomed-scenario.ts'
import { classPrefixes } from './random-network.ts'

/** Bugs of a client that goes wrong about whom a target is for. */
export const MULTIHOMED_CANARIES: readonly Canary<MultihomedScenario>[] = [
  {
    name: 'a client that takes what one provider assigned for provider-independent',
    noticedBy: 'entitled-server',
    changeSite: (site) => ({
      ...site,
      domains: site.domains.map((domain, index) => (index === 0 ? { ...domain, prefixes: [] } : domain)),
      providerIndependent: [
        ...site.providerIndependent,
        ...(site.domains[0]?.prefixes ?? []).map((prefix) => ({ prefix }))
      ],
      consents: []
    })
  },
  {
    name: 'a client that does not know that a consent ends',
    noticedBy: 'entitled-server',
    changeScenario: withConsent,
    changeSite: withEndlessConsents
  },
  {
    name: 'a client that does not mind its filters',
    noticedBy: 'entitled-server',
    changeScenario: (scenario) => ({
      ...scenario,
      clients: scenario.clients.map((client) => ({ ...client, filters: classPrefixes(scenario).slice(0, 1) }))
    }),
    changeSite: (site) => ({ ...site, filters: [] })
  },
  {
    name: 'a CPE that sends everything by its first uplink',
    noticedBy: 'ingress-drop',
    changeCustomer: ({ router }) => {
      if (router !== undefined) router.routing = 'first-uplink'
    }
  },
  {
    name: 'a client that shows every provider the same certificate',
    noticedBy: 'transcript',
    changeCustomer: ({ flaws }) => {
      flaws.hasOneCertificate = true
    }
  },
  {
    name: 'a client that writes the name of a protection into its messages',
    noticedBy: 'transcript',
    changeCustomer: ({ flaws }) => {
      flaws.isTalkative = true
    }
  },
  {
    name: 'a client that asks one of several servers that do not stand in for one another',
    noticedBy: 'protection-accounted',
    changeSite: (site) => ({ ...site, domains: site.domains.map((domain) => ({ ...domain, isPool: true })) })
  },
  {
    name: 'a client that says nothing of servers that do not protect',
    noticedBy: 'never-silent',
    changeCustomer: ({ flaws }) => {
      flaws.saysNothingOf = 'servers'
    }
  },
  {
    name: 'a client that says nothing of what nobody is asked about',
    noticedBy: 'never-silent',
    changeCustomer: ({ flaws }) => {
      flaws.saysNothingOf = 'unasked'
    }
  },
  {
    name: 'a client that tells servers the names of targets',
    noticedBy: 'transcript',
    changeCustomer: ({ flaws }) => {
      flaws.tellsNames = true
    }
  },
  {
    name: 'a client that asks once what a name means',
    noticedBy: 'protection-accounted',
    changeCustomer: ({ flaws }) => {
      flaws.asksOnce = true
    }
  },
  {
    name: 'a client that asks nobody to stand by',
    noticedBy: 'agreement',
    changeSite: (site) => ({
      ...site,
      domains: site.domains.map((domain) => ({ ...domain, preconfigured: [] }))
    })
  },
  {
    name: 'a client that asks the first provider to stand by for what is the others’',
    noticedBy: 'entitled-server',
    changeScenario: (scenario) => ({ ...scenario, actions: [] }),
    changeSite: withStrayNets
  },
  {
    name: 'a client that asks one server after the other',
    noticedBy: 'asked-in-parallel',
    changeScenario: (scenario) => ({ ...scenario, transports: ['udp'], faults: [] }),
    changeCustomer: ({ flaws }) => {
      flaws.asksInTurn = true
    }
  }
]

/** What was preconfigured for any domain is the first one's to keep, as if all prefixes were. */
function withStrayNets(site: Site): Site {
  const [first, ...others] = site.domains
  if (first === undefined) return site
  const all = site.domains.flatMap(({ preconfigured = [] }) => preconfigured)
  const prefixes = site.domains.flatMap((domain) => domain.prefixes)
  const bare = others.map((domain) => ({ ...domain, prefixes: [], preconfigured: [] }))
  return { ...site, domains: [{ ...first, prefixes, preconfigured: all }, ...bare] }
}

/** The first domain lets another one hear of a prefix for half of the storm, and it is attacked after that. */
function withConsent(scenario: MultihomedScenario): MultihomedScenario {
  const { domains, stormSeconds } = scenario
  const until = Math.round(stormSeconds / 2)
  const prefixes = domains[0]?.prefixes.slice(0, 1) ?? []
  const to = domains.findIndex(({ kind, servers }, index) => index > 0 && kind === 'access' && servers > 0)
  return {
    ...scenario,
    singleProviders: [],
    clients: [{ place: 'cpe', domains: [...domains.keys()], filters: [] }],
    consents: to < 0 ? [] : [{ of: 0, to, prefixes, from: -3600, until }],
    actions: [
      {
        kind: 'protect',
        at: until + 20,
        site: 0,
        protection: 'wish-late',
        prefixes,
        ports: [],
        protocols: [],
        lifetimeSeconds: 3600,
        allowPartial: true
      }
    ],
    faults: []
  }
}

function withEndlessConsents({ consents = [], ...site }: Site): Site {
  const endless = consents.map((consent) => {
    const { from } = consent
    return { ...consent, until: (from + 10 * 365 * 86_400_000) as typeof from }
  })
  return { ...site, consents: endless }
}
