import { Seconds, prefixOf } from '@breakwater/core'
import type { FactLifetime, LearntAddress, LearntConfiguration, LearntPrefix } from '@breakwater/dots'
import { LEARNT_LIMITS } from '@breakwater/dots/learnt'
import { leftOf, longerOf, notLonger } from '../fact-lifetime.ts'
import { dhcpv4Lease } from './dhcpv4-lease.ts'
import { NOTHING, configuration, fileName, removing, writing } from './hook-outcome.ts'
import type { HookOutcome } from './hook-outcome.ts'
import type { HookVariables } from './hook-variables.ts'

/** dhcpcd-run-hooks(8): `reason`; leases in `new_*`, advertisements of all routers of the link in `nd1_*`, `nd2_*`, … */
export function dhcpcdHook(variables: HookVariables): HookOutcome {
  const via = variables.interfaceName('interface')
  if (via === undefined) return NOTHING
  const [name4, name6, nameOfRouters] = ['4', '6', '-ra'].map((kind) => fileName(`dhcpcd${kind}`, via))
  switch (variables.word('reason')) {
    case 'BOUND':
    case 'RENEW':
    case 'REBIND':
    case 'REBOOT':
    case 'INFORM':
    case 'STATIC':
    case 'TIMEOUT':
      return writing(name4 ?? '', dhcpv4Lease(via, variables), variables)
    case 'EXPIRE':
    case 'NAK':
    case 'FAIL':
    case 'RELEASE':
    case 'STOP':
      return removing(name4 ?? '')
    case 'BOUND6':
    case 'RENEW6':
    case 'REBIND6':
    case 'REBOOT6':
    case 'INFORM6':
    case 'DELEGATED6':
      return writing(name6 ?? '', leaseOf6(via, variables), variables)
    case 'EXPIRE6':
    case 'RELEASE6':
    case 'STOP6':
      return removing(name6 ?? '')
    case 'ROUTERADVERT':
      return variables.has('nd1_from')
        ? writing(nameOfRouters ?? '', advertised(via, variables), variables)
        : removing(nameOfRouters ?? '')
    case 'NOCARRIER':
    case 'DEPARTED':
    case 'STOPPED':
      return removing(name4 ?? '', name6 ?? '', nameOfRouters ?? '')
    default:
      return NOTHING
  }
}

/** So many associations, and addresses or prefixes of each, are looked for. */
const ASSOCIATIONS = [1, 2, 3, 4, 5, 6, 7, 8] as const

function ofEach<Fact>(read: (association: number, index: number) => Fact[]): Fact[] {
  return ASSOCIATIONS.flatMap((association) => ASSOCIATIONS.flatMap((index) => read(association, index)))
}

function leaseOf6(via: string, variables: HookVariables): LearntConfiguration {
  const addresses = ofEach((association, index) => {
    const name = `new_dhcp6_ia_na${association}_ia_addr${index}`
    const address = variables.address(name)
    return address === undefined ? [] : [{ address, ...lifetimesOf(name, variables) }]
  })
  const prefixes = ofEach((association, index) => {
    const name = `new_dhcp6_ia_pd${association}_prefix${index}`
    return prefixNamed(name, variables).map((prefix) => ({ prefix, ...lifetimesOf(name, variables) }))
  })
  return configuration(via, 'dhcpv6', {
    addresses,
    prefixes,
    // They hold as long as what they came with.
    resolvers: variables.hosts(
      'new_dhcp6_name_servers',
      LEARNT_LIMITS.resolvers,
      longest(addresses, prefixes)
    ),
    searchDomains: variables.searchDomains('new_dhcp6_domain_search', longest(addresses, prefixes))
  })
}

function advertised(via: string, variables: HookVariables): LearntConfiguration {
  const routers = ASSOCIATIONS.filter((router) => variables.has(`nd${router}_from`))
  const facts = routers.map((router) => {
    const nd = `nd${router}`
    const age = (variables.seconds(`${nd}_now`) ?? 0) - (variables.seconds(`${nd}_acquired`) ?? 0)
    const left = (name: string): FactLifetime => leftOf(variables.lifetime(name), Seconds(Math.max(0, age)))
    return {
      prefixes: ASSOCIATIONS.flatMap((index) => {
        const name = `${nd}_prefix_information${index}`
        const valid = left(`${name}_vltime`)
        const preferred = notLonger(left(`${name}_pltime`), valid)
        return prefixNamed(`${name}_prefix`, variables, `${name}_length`).map((prefix) => {
          return { prefix, valid, preferred }
        })
      }),
      resolvers: ASSOCIATIONS.flatMap((index) =>
        variables.hosts(
          `${nd}_rdnss${index}_servers`,
          LEARNT_LIMITS.resolvers,
          left(`${nd}_rdnss${index}_lifetime`)
        )
      ),
      searchDomains: ASSOCIATIONS.flatMap((index) =>
        variables.searchDomains(`${nd}_dnssl${index}_search`, left(`${nd}_dnssl${index}_lifetime`))
      ),
      // RFC 4861 §4.2: a lifetime of 0 is no default router.
      gateways: variables.hosts(`${nd}_from`, 1, left(`${nd}_lifetime`)).filter(({ valid }) => valid !== 0)
    }
  })
  return configuration(via, 'ra', {
    prefixes: facts.flatMap(({ prefixes }) => prefixes).slice(0, LEARNT_LIMITS.prefixes),
    resolvers: facts.flatMap(({ resolvers }) => resolvers).slice(0, LEARNT_LIMITS.resolvers),
    gateways: facts.flatMap(({ gateways }) => gateways).slice(0, LEARNT_LIMITS.gateways),
    searchDomains: facts.flatMap((each) => each.searchDomains).slice(0, LEARNT_LIMITS.searchDomains)
  })
}

function lifetimesOf(name: string, variables: HookVariables): Pick<LearntPrefix, 'valid' | 'preferred'> {
  const valid = variables.lifetime(`${name}_vltime`)
  return { valid, preferred: notLonger(variables.lifetime(`${name}_pltime`), valid) }
}

/** An address in one variable, its length in another. */
function prefixNamed(
  name: string,
  variables: HookVariables,
  lengthName = `${name}_length`
): LearntPrefix['prefix'][] {
  const address = variables.address(name)
  const length = variables.seconds(lengthName)
  if (address === undefined || length === undefined || length > (address.family === 4 ? 32 : 128)) return []
  return [prefixOf(address, length)]
}

function longest(addresses: readonly LearntAddress[], prefixes: readonly LearntPrefix[]): FactLifetime {
  const all = [...addresses, ...prefixes].map(({ valid }) => valid)
  return all.length === 0 ? 'unlimited' : all.reduce(longerOf)
}
