import { Instant, WallTime, addressBits, ipv4, ipv6, prefixOf } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { DotsClient, ProtectionId, compileSite, parseCuid, place } from '@breakwater/dots'
import type { ClientInput, ClientOutput, Cuid, DomainName, Site, Target } from '@breakwater/dots'
import { systemEntropy } from '@breakwater/runtime'
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

/** A client whose servers are established and have not answered, in a time of its own. */
class Client {
  readonly #client: DotsClient
  readonly #now: Instant = Instant(0)
  sent = 0

  constructor(site: Site, protections: readonly Protection[]) {
    this.#client = new DotsClient({ site, cuids: cuidsOf(site), entropy: systemEntropy() })
    const wallClock = WallTime(1_767_225_600_000)
    const requests = protections.map(({ id, target }) => {
      return { id, target, lifetime: 3600, allowPartial: true, require: 'all' } as const
    })
    const records = { requests: [], numberings: [] }
    const connections: Extract<ClientOutput, { kind: 'connect' }>[] = []
    this.#feed({ kind: 'resume', wallClock, records, protections: requests })
    this.#feed({ kind: 'start', wallClock }, connections)
    for (const { connection } of connections) this.#feed({ kind: 'session-established', connection })
    for (const { id, isAttacked } of protections)
      if (isAttacked) this.#feed({ kind: 'efficacy', id, attackStatus: 'under-attack' })
  }

  get requests(): number {
    return this.#client.status(this.#now).requests.length
  }

  /** Everything that follows of another site, until nothing more is to be done at once. */
  change(site: Site): void {
    this.#feed({ kind: 'site', site, cuids: cuidsOf(site) })
  }

  #feed(input: ClientInput, connections: Extract<ClientOutput, { kind: 'connect' }>[] = []): void {
    this.#client.handle(input, this.#now)
    for (let output = this.#client.poll(); output !== undefined; output = this.#client.poll()) {
      if (output.kind === 'connect') connections.push(output)
      if (output.kind === 'send') this.sent++
    }
  }
}

/** The servers would tell the client that they know it by another name; here nobody does. */
function cuidsOf({ domains }: Site): ReadonlyMap<DomainName, Cuid> {
  return new Map(
    domains.flatMap(({ name }) => {
      const cuid = parseCuid(`cuid-of-${name}`.padEnd(22, '0'))
      return cuid === undefined ? [] : [[name, cuid] as const]
    })
  )
}

/** The ceiling: compiling the site and placing every protection, whatever stands. */
function placeAll(site: Site, protections: readonly Protection[]): number {
  const plan = compileSite(site)
  return protections.reduce(
    (sum, { target }) => sum + place(target, plan, { allowPartial: true }).assignments.length,
    0
  )
}

function run(): Promise<Measurement> {
  const protections = protectionsOfOne()
  const after = siteOfEight(1)
  const client = new Client(siteOfEight(), protections)
  const before = client.requests
  let [value, ceiling] = [Infinity, Infinity]
  // There and back again, for the next round to find what this one found.
  for (let round = 0; round < ROUNDS; round++) {
    ceiling = Math.min(
      ceiling,
      processorMs(() => placeAll(after, protections))
    )
    value = Math.min(
      value,
      processorMs(() => client.change(round % 2 === 0 ? after : siteOfEight()))
    )
  }
  if (client.requests === before) throw new Error('the renumbering changed nothing')
  const what = `a running client with ${PROTECTIONS} protections and ${before} requests`
  return Promise.resolve({ value, unit: 'ms', ceiling, ratio: value / ceiling, what })
}

export const benchmarks: readonly Benchmark[] = [{ name: 'replacement-10k', run }]
