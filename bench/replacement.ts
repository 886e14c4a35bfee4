import { addressBits, ipv4, ipv6, prefixOf } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { ProtectionId, compileRequests, compileSite, difference, mitigationId, place } from '@breakwater/dots'
import type { CurrentRequest, Difference, ServerName, Site, SitePlan, Target, Want } from '@breakwater/dots'
import type { Benchmark, Measurement } from './benchmark.ts'
import { processorMs } from './processor-time.ts'
import { RENUMBERED_BY, assignedPrefix, siteOfEight } from './site-of-eight.ts'

const PROTECTIONS = 10_000
const ROUNDS = 5
const WEB = [80, 443].map((port) => ({ lower: port, upper: port }))

interface Protection {
  readonly id: ProtectionId
  readonly target: Target
  readonly isAttacked: boolean
}

/** All of the first provider's. Each names its host by the address before and by that after; every tenth, what is around. */
function protectionsOfOne(): Protection[] {
  return Array.from({ length: PROTECTIONS }, (_, index): Protection => {
    const isWide = index % 10 === 9
    const prefixes = [0, RENUMBERED_BY].map((domain) => hostOf(domain, isWide ? index - 1 : index, isWide))
    const target = { prefixes, ports: isWide ? [] : WEB, protocols: [6] }
    return { id: ProtectionId(`p-${index}`), target, isAttacked: index % 7 === 0 }
  })
}

/** Hosts 16 addresses apart, each assigned prefix in turn; `isWide`: all 16. */
function hostOf(domain: number, index: number, isWide: boolean): IpPrefix {
  const { address } = assignedPrefix(domain, index % 1000)
  const low = 1 + 16 * Math.floor(index / 1000)
  const host =
    address.family === 4 ? ipv4(address.a + low) : ipv6(address.a, address.b, address.c, address.d + low)
  return prefixOf(host, addressBits(host.family) - (isWide ? 4 : 0))
}

type Standing = ReadonlyMap<ServerName, readonly CurrentRequest[]>

/** What all protections come to at the new site, and what each server must be told of it. */
function replace(
  site: Site,
  protections: readonly Protection[],
  standing: Standing
): Map<ServerName, Difference> {
  const wants = placeAll(compileSite(site), protections)
  return new Map(
    [...wants].map(([server, wanted]) => {
      const current = standing.get(server) ?? []
      const known = current.map((request) => request.target)
      return [server, difference(current, compileRequests(wanted, known))]
    })
  )
}

/** What is wanted of each server; attacked targets come first. */
function placeAll(plan: SitePlan, protections: readonly Protection[]): Map<ServerName, Want[]> {
  const wants = new Map<ServerName, Want[]>([...plan.servers.keys()].map((name) => [name, []]))
  const inOrder = protections.toSorted((x, y) => Number(y.isAttacked) - Number(x.isAttacked))
  for (const { id, target } of inOrder)
    for (const assignment of place(target, plan, { allowPartial: true }).assignments)
      wants.get(assignment.server)?.push({ protection: id, target: assignment.target })
  return wants
}

function asStanding(differences: ReadonlyMap<ServerName, Difference>): Standing {
  return new Map(
    [...differences].map(([server, { added }]) => {
      const requests = added.flatMap(({ target }, index) => {
        const id = mitigationId(index)
        return id === undefined ? [] : [{ mitigationId: id, target }]
      })
      return [server, requests] as const
    })
  )
}

/** The ceiling: compiling the site and placing every protection, whatever stands. */
function run(): Promise<Measurement> {
  const protections = protectionsOfOne()
  const before = siteOfEight()
  const after = siteOfEight(1)
  const standing = asStanding(replace(before, protections, new Map()))
  let [value, ceiling] = [Infinity, Infinity]
  let told = { added: 0, retired: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    ceiling = Math.min(
      ceiling,
      processorMs(() => placeAll(compileSite(after), protections))
    )
    value = Math.min(
      value,
      processorMs(() => {
        told = tellings(replace(after, protections, standing))
      })
    )
  }
  if (told.added === 0 || told.retired === 0) throw new Error('the renumbering changed nothing')
  const what = `${PROTECTIONS} protections; ${told.retired} requests go and ${told.added} come`
  return Promise.resolve({ value, unit: 'ms', ceiling, ratio: value / ceiling, what })
}

function tellings(differences: ReadonlyMap<ServerName, Difference>): { added: number; retired: number } {
  const all = [...differences.values()]
  return {
    added: all.reduce((sum, { added }) => sum + added.length, 0),
    retired: all.reduce((sum, { retired }) => sum + retired.length, 0)
  }
}

export const benchmarks: readonly Benchmark[] = [{ name: 'replacement-10k', run }]
