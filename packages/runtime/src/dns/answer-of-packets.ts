import { parseIpAddress } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import type { NameAnswer } from '@breakwater/dots'
import type { Answer, Packet } from 'dns-packet'
import { responseCodeOf } from './question.ts'

/** Aliases that are followed from a name to its addresses. */
const LONGEST_CHAIN = 16

/** Addresses of one family; more of one name are not looked at, whoever says so. */
const MOST_ADDRESSES = 32

/** RFC 2181 §8: the longest time to live that there is; RFC 8767 §4 wants nothing longer than a week to be believed. */
const LONGEST_TTL_SECONDS = 604_800

/** How long it holds that there is nothing, where the answer does not say (RFC 2308 §5 leaves that out of caches). */
const NOTHING_TTL_SECONDS = 30

/** There is no such name (RFC 1035 §4.1.1). */
const NAME_ERROR = 3

/** What two responses, to the questions for A and for AAAA, say of a name: only records that the name leads to. */
export function answerOfPackets(name: string, packets: readonly Packet[]): NameAnswer {
  const nothingFor = Math.min(...packets.map((packet) => ttlOfNothing(packet)))
  if (packets.every((packet) => responseCodeOf(packet) === NAME_ERROR))
    return { kind: 'no-such-name', ttlSeconds: nothingFor }
  const found = packets.map(({ answers = [] }) => follow(name, answers))
  const addresses = found.flatMap((each) => each.addresses)
  const ttlSeconds = Math.min(...found.map((each) => each.ttlSeconds))
  return { kind: 'addresses', addresses, ttlSeconds: addresses.length === 0 ? nothingFor : ttlSeconds }
}

interface Found {
  readonly addresses: readonly IpAddress[]
  readonly ttlSeconds: number
}

/** Follows aliases within one response (RFC 1034 §3.6.2); the shortest time to live on the way counts. */
function follow(name: string, answers: readonly Answer[]): Found {
  let current = normal(name)
  let ttlSeconds = Infinity
  for (let links = 0; links < LONGEST_CHAIN; links++) {
    const own = answers.filter((answer) => normal(answer.name) === current)
    const addresses: IpAddress[] = []
    let alias: string | undefined
    for (const record of own) {
      if (record.type === 'CNAME') alias = record.data
      else if (record.type !== 'A' && record.type !== 'AAAA') continue
      else addresses.push(...[parseIpAddress(record.data)].filter((address) => address !== undefined))
      ttlSeconds = Math.min(ttlSeconds, believable(record.ttl))
    }
    if (addresses.length > 0 || alias === undefined)
      return { addresses: addresses.slice(0, MOST_ADDRESSES), ttlSeconds }
    current = normal(alias)
  }
  return { addresses: [], ttlSeconds }
}

/** RFC 2308 §5: of the SOA that comes along, the smaller of its time to live and its MINIMUM. */
function ttlOfNothing({ authorities = [] }: Packet): number {
  for (const record of authorities)
    if (record.type === 'SOA') return Math.min(believable(record.ttl), believable(record.data.minimum))
  return NOTHING_TTL_SECONDS
}

/** RFC 2181 §8: with the highest bit set it is 0. */
function believable(ttlSeconds = 0): number {
  return ttlSeconds >= 2 ** 31 || ttlSeconds < 0 ? 0 : Math.min(ttlSeconds, LONGEST_TTL_SECONDS)
}

function normal(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
