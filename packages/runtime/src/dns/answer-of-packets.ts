import { UnavailableError, parseIpAddress } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import type { NameAnswer } from '@breakwater/dots'
import type { Answer, Packet } from 'dns-packet'

/** Aliases that are followed from a name to its addresses. */
const LONGEST_CHAIN = 16

/** Response codes (RFC 1035 §4.1.1). */
const NO_ERROR = 0
const NAME_ERROR = 3

/**
 * What two responses, to the questions for A and for AAAA, say of a name: only records that the name leads to.
 * @throws UnavailableError when a server failed or refused.
 */
export function answerOfPackets(name: string, packets: readonly Packet[]): NameAnswer {
  const codes = packets.map((packet) => responseCodeOf(packet))
  const bad = codes.find((code) => code !== NO_ERROR && code !== NAME_ERROR)
  if (bad !== undefined)
    throw new UnavailableError('DNS_FAILED', `${name}: the name server answered with code ${bad}`, true)
  if (codes.every((code) => code === NAME_ERROR)) return { kind: 'no-such-name' }
  const found = packets.map(({ answers = [] }) => follow(name, answers))
  return {
    kind: 'addresses',
    addresses: found.flatMap(({ addresses }) => addresses),
    ttlSeconds: Math.min(...found.map(({ ttlSeconds }) => ttlSeconds))
  }
}

function responseCodeOf({ flags = 0 }: Packet): number {
  return flags & 0xf
}

interface Found {
  readonly addresses: IpAddress[]
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
      ttlSeconds = Math.min(ttlSeconds, record.ttl ?? 0)
    }
    if (addresses.length > 0 || alias === undefined) return { addresses, ttlSeconds }
    current = normal(alias)
  }
  return { addresses: [], ttlSeconds }
}

function normal(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
