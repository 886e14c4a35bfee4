import { hostPrefix, ipv4, ipv6, prefixOf } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { compileSite, place } from '@breakwater/dots'
import type { SitePlan, Target } from '@breakwater/dots'
import { bestRate } from './best-rate.ts'
import type { Benchmark, Measurement } from './benchmark.ts'
import { perProcessorSecond } from './processor-time.ts'
import { assignedPrefix, independentPrefix, siteOfEight } from './site-of-eight.ts'

const ASKED = 200_000
const WHAT = '8 domains, 10,000 prefixes; 80 % PA, 10 % PI at all 8, 8 % foreign, 2 % across a border'

/** A target of each kind, spread over the prefixes by steps that have no factor in common with them. */
function asked(index: number): IpPrefix {
  const kind = index % 50
  if (kind < 5) return hostPrefix(ipv4(independentPrefix((index * 7) % 1000).address.a + (index & 0xff)))
  const assigned = assignedPrefix(index % 8, (index * 7919) % 1125)
  const { family, a, b } = assigned.address
  // Every other /24 or /48 is somebody else's.
  if (kind < 9) return hostPrefix(family === 4 ? ipv4(a + 0x100) : ipv6(a, b + 0x10000, 0, 1))
  if (kind < 10) return prefixOf(assigned.address, assigned.length - 1)
  return hostPrefix(family === 4 ? ipv4(a + (index & 0xff)) : ipv6(a, b, index, 1))
}

function placeAll(targets: readonly Target[], plan: SitePlan): { assigned: number; refused: number } {
  let [assigned, refused] = [0, 0]
  for (const target of targets) {
    const { assignments, refusals } = place(target, plan)
    assigned += assignments.length
    if (refusals.length > 0) refused++
  }
  return { assigned, refused }
}

/** Whole placements, explanations included, of one prefix each; against the look-up in the table alone. */
function run(): Promise<Measurement> {
  const plan = compileSite(siteOfEight())
  const prefixes = Array.from({ length: ASKED }, (_, index) => asked(index))
  const targets = prefixes.map((prefix): Target => ({ prefixes: [prefix], ports: [], protocols: [] }))
  const { assigned, refused } = placeAll(targets, plan)
  const expected = { assigned: (ASKED * (40 + 5 * 8)) / 50, refused: (ASKED * 5) / 50 }
  if (assigned !== expected.assigned || refused !== expected.refused)
    throw new Error(`${assigned} were assigned and ${refused} refused, of ${ASKED}`)
  const measured = bestRate(
    () => perProcessorSecond(ASKED, () => placeAll(targets, plan)),
    () => perProcessorSecond(ASKED, () => prefixes.filter((prefix) => plan.table.cover(prefix)).length)
  )
  return Promise.resolve({ ...measured, what: WHAT })
}

export const benchmarks: readonly Benchmark[] = [{ name: 'placement', run }]
