import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { PrefixTable, hostPrefix } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import { bestRate } from './best-rate.ts'
import type { Benchmark, Measurement } from './benchmark.ts'
import { perProcessorSecond } from './processor-time.ts'
import { RoutingTable } from './routing-table.ts'

const PREFIXES = 1_000_000
const ASKED = 500_000
const OWNERS = 1000
const WHAT = `${PREFIXES} prefixes of ${OWNERS} owners, 60 % IPv4 (/8 to /32) and 40 % IPv6 (/20 to /128)`

/** Words of an asked prefix: family, the address, length. */
const WIDTH = 6

/** A table of a million prefixes, and what it takes of the heap and outside of it when all else is collected. */
function build(routes: RoutingTable): { table: PrefixTable<number>; prefixes: IpPrefix[]; bytes: number } {
  const prefixes = routes.prefixes(PREFIXES)
  const before = memoryBytes()
  const table = new PrefixTable(prefixes.map((prefix, index) => ({ prefix, value: index % OWNERS })))
  return { table, prefixes, bytes: memoryBytes() - before }
}

function memoryBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  // `external` includes array buffers.
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Half of them lie in some prefix, the others anywhere; packed, so that reading them costs next to nothing. */
function packAsked(routes: RoutingTable, prefixes: readonly IpPrefix[]): Uint32Array {
  const packed = new Uint32Array(ASKED * WIDTH)
  for (let index = 0; index < ASKED; index++) {
    const within = index % 2 === 0 ? prefixes[index] : undefined
    const address = within === undefined ? routes.address() : routes.addressIn(within)
    const { family, a, b, c, d } = address
    packed.set([family, a, b, c, d, hostPrefix(address).length], index * WIDTH)
  }
  return packed
}

/** An object of its own for each, as a decoder makes it. */
function askedAt(packed: Uint32Array, index: number): IpPrefix {
  const word = (field: number): number => packed[index * WIDTH + field] ?? 0
  const address = { family: word(0) === 4 ? 4 : 6, a: word(1), b: word(2), c: word(3), d: word(4) } as const
  return { address, length: word(5) }
}

function countHits(table: PrefixTable<number>, packed: Uint32Array): number {
  let hits = 0
  for (let index = 0; index < ASKED; index++)
    if (table.coveringValue(askedAt(packed, index)) !== undefined) hits++
  return hits
}

/** Reads as many words at random places of so much memory. */
function readAtRandom(memory: Uint32Array, packed: Uint32Array): number {
  let sum = 0
  for (let index = 0; index < ASKED; index++) {
    const at = index * WIDTH
    const place = Math.imul((packed[at + 2] ?? 0) ^ (packed[at + 5] ?? 0), 0x9e3779b1) >>> 0
    sum ^= memory[place % memory.length] ?? 0
  }
  return sum
}

/**
 * Look-ups of host addresses in a million prefixes. The ceiling: one read at a random place of as much memory as the table
 * takes, which no look-up can do without.
 */
function rate(): Promise<Measurement> {
  const routes = new RoutingTable(seededEntropy(9132))
  const { table, prefixes, bytes } = build(routes)
  const packed = packAsked(routes, prefixes)
  const memory = new Uint32Array(Math.ceil(bytes / 4)).map((_, index) => Math.imul(index, 0x9e3779b1))
  const share = Math.round((100 * countHits(table, packed)) / ASKED)
  const measured = bestRate(
    () => perProcessorSecond(ASKED, () => countHits(table, packed)),
    () => perProcessorSecond(ASKED, () => readAtRandom(memory, packed))
  )
  return Promise.resolve({ ...measured, what: `${WHAT}; ${share} % of the addresses lie in one` })
}

/** The ceiling: 16 bytes of an address, one of a length and four that say whose it is, for IPv4 12 less. */
function bytesPerPrefix(): Promise<Measurement> {
  const { table, bytes, prefixes } = build(new RoutingTable(seededEntropy(9132)))
  if (table.size !== PREFIXES) throw new Error(`${table.size} prefixes are in the table`)
  const value = bytes / PREFIXES
  const least = prefixes.map((prefix) => (prefix.address.family === 4 ? 9 : 21))
  const ceiling = least.reduce((sum, each) => sum + each, 0) / PREFIXES
  return Promise.resolve({ value, unit: 'bytes', ceiling, ratio: value / ceiling, what: WHAT })
}

export const benchmarks: readonly Benchmark[] = [
  { name: 'lpm', run: rate },
  { name: 'lpm-bytes-per-prefix', run: bytesPerPrefix }
]
