import { DecodeError, Instant, Seconds, after, formatIpAddress, inSeconds } from '@breakwater/core'
import type { FactLifetime } from '@breakwater/dots'
import { beforeEach, describe, expect, it } from 'vitest'
import { AdvertisedNames } from '../../../src/provisioning/advertised-names/advertised-names.ts'
import type { NamesNews } from '../../../src/provisioning/advertised-names/advertised-names.ts'
import { NetlinkStream } from '../../../src/provisioning/advertised-names/netlink-stream.ts'
import { CAPTURED, bytesOf, domainsOption, linkBytes, optionBytes, serversOption } from './netlink-bytes.ts'

const start = Instant(1_000)
const SERVER = '20010db8000a00000000000000000053'
const OTHER_SERVER = '20010db8000a00000000000000000054'

let names: AdvertisedNames
let stream: NetlinkStream
beforeEach(() => {
  names = new AdvertisedNames()
  stream = new NetlinkStream()
  hear(linkBytes(2, 'wan1'))
})

function hear(bytes: Buffer, seconds = 0): NamesNews[] {
  return stream.push(bytes).map((message) => names.take(message, after(start, Seconds(seconds))))
}

/** `wan1 2001:db8:a::53 1800`, `wan1 isp-a.example 1800` */
function known(seconds = 0): string[] {
  return [...names.known(after(start, Seconds(seconds)))].flatMap(([via, { resolvers, searchDomains }]) => [
    ...resolvers.map(({ address, valid }) => `${via} ${formatIpAddress(address)} ${left(valid)}`),
    ...searchDomains.map(({ name, valid }) => `${via} ${name} ${left(valid)}`)
  ])
}

function left(valid: FactLifetime): string {
  return valid === 'unlimited' ? valid : `${inSeconds(valid)}`
}

describe('what routers advertise of name servers', () => {
  it('is told by the kernel, with the interface and the lifetime', () => {
    for (const hex of Object.values(CAPTURED)) hear(bytesOf(hex))
    expect(known(100)).toEqual(['wan1 2001:db8:a::53 1700', 'wan1 isp-a.example 1700'])
  })

  it('is understood however the stream is torn', () => {
    const all = Buffer.concat(Object.values(CAPTURED).map(bytesOf))
    for (const byte of all) hear(Buffer.from([byte]))
    expect(known()).toEqual(['wan1 2001:db8:a::53 1800', 'wan1 isp-a.example 1800'])
  })

  it('RFC 8106 §6.1: ends when its lifetime does, unless it is said again', () => {
    hear(optionBytes(2, serversOption(60, SERVER, OTHER_SERVER)))
    hear(optionBytes(2, serversOption(60, OTHER_SERVER)), 30)
    expect(known(59)).toEqual(['wan1 2001:db8:a::53 1', 'wan1 2001:db8:a::54 31'])
    expect(known(60)).toEqual(['wan1 2001:db8:a::54 30'])
    expect(known(90)).toEqual([])
  })

  it('RFC 8106 §5.1: ends at once by a lifetime of 0, and never by all ones', () => {
    hear(optionBytes(2, serversOption(0xffff_ffff, SERVER, OTHER_SERVER)))
    expect(known(1_000_000)).toEqual(['wan1 2001:db8:a::53 unlimited', 'wan1 2001:db8:a::54 unlimited'])
    hear(optionBytes(2, serversOption(0, SERVER)))
    expect(known()).toEqual(['wan1 2001:db8:a::54 unlimited'])
  })

  it('goes with its link, and is of none that is unknown', () => {
    hear(optionBytes(7, serversOption(60, SERVER)))
    expect(known()).toEqual([])
    hear(optionBytes(2, serversOption(60, SERVER)))
    // A port that leaves a bridge is no link that has gone.
    expect(hear(linkBytes(2, 'wan1', { type: 17, family: 7 }))).toEqual([undefined])
    expect(known()).toHaveLength(1)
    expect(hear(linkBytes(2, 'wan1', { isUp: false }))).toEqual([{ kind: 'changed' }])
    expect(known()).toEqual([])
    hear(linkBytes(2, 'wan1'))
    hear(optionBytes(2, serversOption(60, SERVER)))
    hear(linkBytes(2, 'uplink'))
    expect(known()).toEqual(['uplink 2001:db8:a::53 60'])
    expect(hear(linkBytes(2, 'uplink', { type: 17 }))).toEqual([{ kind: 'changed' }])
    expect(known()).toEqual([])
  })

  it('is kept for so many of a link, and those that are over make room', () => {
    const addresses = Array.from({ length: 20 }, (_, n) => `20010db80000000000000000000001${10 + n}`)
    const reason = 'routers name more than is kept of a link'
    expect(hear(optionBytes(2, serversOption(60, ...addresses)))).toEqual([
      { kind: 'refused', via: 'wan1', reason }
    ])
    expect(known()).toHaveLength(16)
    expect(hear(optionBytes(2, serversOption(60, SERVER)), 60)).toEqual([{ kind: 'changed' }])
    expect(known(60)).toEqual(['wan1 2001:db8:a::53 60'])
  })
})

describe('RFC 8106 §5.3.1: an option is discarded', () => {
  const name = '05 69 73 70 2d 61 07 65 78 61 6d 70 6c 65 00'
  it.each([
    ['without a server', serversOption(60)],
    ['with half a server', Buffer.concat([Buffer.from([25, 2]), serversOption(60, SERVER).subarray(2, 16)])],
    ['that is torn', serversOption(60, SERVER).subarray(0, 16)],
    ['of no length', Buffer.from([25])],
    ['with a multicast address', serversOption(60, SERVER, 'ff020000000000000000000000000001')],
    ['with no address', serversOption(60, '00'.repeat(16))],
    ['without a search domain', domainsOption(60)],
    ['with an empty search list', domainsOption(60, '00'.repeat(8))],
    ['with a name that does not end', domainsOption(60, '07 65 78 61 6d 70 6c 65')],
    ['with a label that is longer than the option', domainsOption(60, '3f 65 78 61 6d 70 6c 00')],
    ['with a compressed name', domainsOption(60, 'c0 08 00')],
    ['with a name of other than letters', domainsOption(60, name, '04 24 28 69 64 00')]
  ])('%s', (_what, option) => {
    expect(hear(optionBytes(2, option))).toEqual([expect.objectContaining({ kind: 'refused', via: 'wan1' })])
    expect(known()).toEqual([])
  })

  it('never where it is whole', () => {
    hear(optionBytes(2, domainsOption(60, name, '03 6c 61 62 00')))
    expect(known()).toEqual(['wan1 isp-a.example 60', 'wan1 lab 60'])
  })
})

it.each([
  ['shorter than its header', '0f000000440000000000000000000000'],
  ['longer than any', 'ffffff7f440000000000000000000000']
])('a netlink message %s is no netlink', (_what, hex) => {
  expect(() => hear(bytesOf(hex))).toThrow(DecodeError)
})
