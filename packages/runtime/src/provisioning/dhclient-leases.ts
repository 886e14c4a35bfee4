import { Seconds, WallTime, between, parseIpAddress, parseIpPrefix } from '@breakwater/core'
import { LEARNT_LIMITS } from '@breakwater/dots'
import type {
  FactLifetime,
  LearntAddress,
  LearntConfiguration,
  LearntHost,
  LearntPrefix,
  LearntSearchDomain
} from '@breakwater/dots'
import { isInterfaceName, isSearchDomain } from './drop-format.ts'
import { leaseStatements } from './lease-statements.ts'
import type { LeaseStatement } from './lease-statements.ts'

/**
 * What the leases of dhclient.leases(5) say at a moment, by `v4 INTERFACE` and `v6 INTERFACE`. dhclient appends: the last lease of
 * an interface holds. What is over, and what is not exactly an address, prefix or name, is left out.
 * @throws DecodeError `RUNTIME_LEASES_INVALID`
 */
export function dhclientLeases(text: string, now: WallTime): ReadonlyMap<string, LearntConfiguration> {
  const last = new Map<string, LearntConfiguration | undefined>()
  for (const { words, block } of leaseStatements(text)) {
    const [kind] = words
    const [via = ''] = valuesOf(block, 'interface')
    if (!isInterfaceName(via)) continue
    if (kind === 'lease') last.set(`v4 ${via}`, lease4(via, block, now))
    if (kind === 'lease6') last.set(`v6 ${via}`, lease6(via, block, now))
  }
  return new Map([...last].flatMap(([key, lease]) => (lease === undefined ? [] : [[key, lease] as const])))
}

function lease4(
  via: string,
  block: readonly LeaseStatement[],
  now: WallTime
): LearntConfiguration | undefined {
  const [text = ''] = valuesOf(block, 'fixed-address')
  const address = parseIpAddress(text)
  const valid = untilExpiry(valuesOf(block, 'expire'), now)
  if (address?.family !== 4 || valid === undefined) return undefined
  const searchDomains = optionOf(block, 'domain-search')
  return {
    interface: via,
    origin: 'dhcpv4',
    prefixes: [],
    addresses: [{ address, valid, preferred: valid }],
    resolvers: hosts(optionOf(block, 'domain-name-servers'), valid).slice(0, LEARNT_LIMITS.resolvers),
    gateways: hosts(optionOf(block, 'routers'), valid).slice(0, LEARNT_LIMITS.gateways),
    searchDomains: domains(searchDomains.length > 0 ? searchDomains : optionOf(block, 'domain-name'), valid)
  }
}

function lease6(
  via: string,
  block: readonly LeaseStatement[],
  now: WallTime
): LearntConfiguration | undefined {
  // `released;` stands for a lease that was given back.
  if (block.some(({ words }) => words[0] === 'released')) return undefined
  const parts = block.filter(({ words }) => words[0]?.startsWith('ia-') === true).flatMap((ia) => ia.block)
  const addresses = parts.flatMap(({ words: [kind, text = ''], block: life }): LearntAddress[] => {
    const address = kind === 'iaaddr' ? parseIpAddress(text) : undefined
    const lifetimes = lifetimesOf(life, now)
    return address?.family !== 6 || lifetimes === undefined ? [] : [{ address, ...lifetimes }]
  })
  const prefixes = parts.flatMap(({ words: [kind, text = ''], block: life }): LearntPrefix[] => {
    const prefix = kind === 'iaprefix' ? parseIpPrefix(text, 'clear') : undefined
    const lifetimes = lifetimesOf(life, now)
    return prefix?.address.family !== 6 || lifetimes === undefined ? [] : [{ prefix, ...lifetimes }]
  })
  const [first] = [...prefixes, ...addresses]
  if (first === undefined) return undefined
  return {
    interface: via,
    origin: 'dhcpv6',
    prefixes: prefixes.slice(0, LEARNT_LIMITS.prefixes),
    addresses: addresses.slice(0, LEARNT_LIMITS.addresses),
    resolvers: hosts(optionOf(block, 'dhcp6.name-servers'), first.valid).slice(0, LEARNT_LIMITS.resolvers),
    gateways: [],
    searchDomains: domains(optionOf(block, 'dhcp6.domain-search'), first.valid)
  }
}

/** `never`, `epoch 1795893003`, or `6 2026/11/28 19:10:03`, in UTC. Undefined: it is over, or nobody can tell. */
function untilExpiry(
  [day = '', date = '', time = '']: readonly string[],
  now: WallTime
): FactLifetime | undefined {
  if (day === 'never') return 'unlimited'
  const end = day === 'epoch' ? Number(date) * 1000 : Date.parse(`${date.replaceAll('/', '-')}T${time}Z`)
  const left = between(now, WallTime(end))
  return left > 0 ? left : undefined
}

function lifetimesOf(
  life: readonly LeaseStatement[],
  now: WallTime
): { readonly valid: FactLifetime; readonly preferred: FactLifetime } | undefined {
  const age = now / 1000 - Number(valuesOf(life, 'starts')[0])
  const left = (name: string): number => Number(valuesOf(life, name)[0]) - Math.max(0, age)
  const [valid, preferred] = [left('max-life'), left('preferred-life')]
  if (!(valid > 0)) return undefined
  return { valid: Seconds(valid), preferred: Seconds(Math.max(0, Math.min(valid, preferred) || 0)) }
}

function hosts(texts: readonly string[], valid: FactLifetime): LearntHost[] {
  return texts.flatMap((text) => {
    const address = parseIpAddress(text)
    return address === undefined ? [] : [{ address, valid }]
  })
}

function domains(texts: readonly string[], valid: FactLifetime): LearntSearchDomain[] {
  const names = texts.flatMap((text) => text.split(/\s+/)).map((text) => text.replace(/\.$/, ''))
  return names
    .filter(isSearchDomain)
    .slice(0, LEARNT_LIMITS.searchDomains)
    .map((name) => ({ name, valid }))
}

function optionOf(block: readonly LeaseStatement[], name: string): readonly string[] {
  return block.find(({ words }) => words[0] === 'option' && words[1] === name)?.words.slice(2) ?? []
}

function valuesOf(block: readonly LeaseStatement[], name: string): readonly string[] {
  return block.find(({ words }) => words[0] === name)?.words.slice(1) ?? []
}
