import { PrefixTable, ipv4, prefixOf } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { DomainName, ServerName, compileSite, place } from '@breakwater/dots'
import type { ProvisioningDomain, Site, Target } from '@breakwater/dots'
import type { Benchmark, Measurement } from './benchmark.ts'

const PREFIXES = 100_000
const ASKED = 200_000
const ROUNDS = 5

/** /24s of ten providers in turn, all over 10.0.0.0/8 and 11.0.0.0/8. */
function siteOfManyPrefixes(): Site {
  const domains = Array.from({ length: 10 }, (_, index): ProvisioningDomain => {
    const name = DomainName(`isp-${index}`)
    const prefixes: IpPrefix[] = []
    for (let at = index; at < PREFIXES; at += 10) prefixes.push(prefixOf(ipv4(0x0a000000 + 256 * at), 24))
    const address = ipv4(0xc0000200 + index)
    const server = {
      name: ServerName(name),
      domain: name,
      referenceName: `dots.${name}.example`,
      addresses: [address],
      port: 4646
    }
    return {
      name,
      kind: 'access',
      interfaces: [],
      prefixes,
      sources: [ipv4(0x0a000001 + 256 * index)],
      servers: [server]
    }
  })
  return { domains, providerIndependent: [] }
}

/** Addresses spread over the prefixes by a step that has no factor in common with them. */
function askedPrefixes(): IpPrefix[] {
  return Array.from({ length: ASKED }, (_, index) => {
    const at = (index * 7919) % PREFIXES
    return prefixOf(ipv4(0x0a000000 + 256 * at + (index & 255)), 32)
  })
}

/** Per second of processor time of this process, all of its threads: what waits for a core does not count. */
function perSecond(find: () => number): number {
  const start = process.cpuUsage()
  const found = find()
  const { user, system } = process.cpuUsage(start)
  if (found !== ASKED) throw new Error(`${found} of ${ASKED} targets were found`)
  return (ASKED / (user + system)) * 1e6
}

/** Whole placements of single addresses on a site of 100,000 prefixes, against the look-up in the table alone. */
async function run(): Promise<Measurement> {
  const site = siteOfManyPrefixes()
  const plan = compileSite(site)
  const table = new PrefixTable<string>()
  for (const domain of site.domains) for (const prefix of domain.prefixes) table.set(prefix, domain.name)
  const asked = askedPrefixes()
  const targets = asked.map((prefix): Target => ({ prefixes: [prefix], ports: [], protocols: [] }))
  let value = 0
  let ceiling = 0
  // Interleaved, the best of each: a machine that pauses must not decide the ratio.
  for (let round = 0; round < ROUNDS; round++) {
    ceiling = Math.max(
      ceiling,
      perSecond(() => asked.reduce((sum, prefix) => sum + (table.longestCover(prefix) ? 1 : 0), 0))
    )
    value = Math.max(
      value,
      perSecond(() => targets.reduce((sum, target) => sum + place(target, plan).assignments.length, 0))
    )
  }
  return Promise.resolve({ value, unit: '1/s', ceiling, ratio: value / ceiling })
}

export const benchmarks: readonly Benchmark[] = [{ name: 'placement', run }]
