import {
  BROADCAST_PREFIXES,
  LOOPBACK_PREFIXES,
  MULTICAST_PREFIXES,
  formatIpAddress,
  isBroadcast,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
  overlapsAny,
  parseIpAddress,
  parseIpPrefix
} from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import * as fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { anyAddress } from '../arbitrary/ip.ts'

const predicates: Readonly<Record<string, (address: IpAddress) => boolean>> = {
  isLoopback,
  isMulticast,
  isUnspecified,
  isLinkLocal,
  isBroadcast
}

describe('special-purpose addresses', () => {
  test.each([
    ['127.0.0.0', ['isLoopback']],
    ['127.255.255.255', ['isLoopback']],
    ['::1', ['isLoopback']],
    ['::ffff:127.0.0.1', ['isLoopback']],
    ['126.255.255.255', []],
    ['128.0.0.0', []],
    ['::2', []],
    ['224.0.0.0', ['isMulticast']],
    ['239.255.255.255', ['isMulticast']],
    ['ff02::1', ['isMulticast']],
    ['::ffff:224.0.0.1', ['isMulticast']],
    ['223.255.255.255', []],
    ['240.0.0.0', []],
    ['feff::', []],
    ['0.0.0.0', ['isUnspecified']],
    ['::', ['isUnspecified']],
    ['0.0.0.1', []],
    ['169.254.0.1', ['isLinkLocal']],
    ['fe80::1', ['isLinkLocal']],
    ['febf:ffff::', ['isLinkLocal']],
    ['fec0::', []],
    ['255.255.255.255', ['isBroadcast']],
    ['::ffff:255.255.255.255', ['isBroadcast']],
    ['255.255.255.254', []],
    ['192.0.2.255', []]
  ])('%s: %j', (text, names) => {
    const address = parse(parseIpAddress(text))
    expect(Object.keys(predicates).filter((name) => predicates[name]?.(address))).toEqual(names)
  })

  test('agree with the ranges of ipaddr.js', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        // `process` undoes the IPv4-mapped form, as the lists here do.
        const range = ipaddr.process(formatIpAddress(address)).range()
        expect(isLoopback(address)).toBe(range === 'loopback')
        expect(isMulticast(address)).toBe(range === 'multicast')
        expect(isLinkLocal(address)).toBe(range === 'linkLocal')
        expect(isBroadcast(address)).toBe(range === 'broadcast')
      })
    )
  })

  test.each([
    ['127.0.0.1/32', LOOPBACK_PREFIXES, true],
    ['0.0.0.0/0', LOOPBACK_PREFIXES, true],
    ['::/0', MULTICAST_PREFIXES, true],
    ['254.0.0.0/7', BROADCAST_PREFIXES, true],
    ['254.0.0.0/8', BROADCAST_PREFIXES, false],
    ['192.0.2.0/24', MULTICAST_PREFIXES, false]
  ])('are found in a prefix that only touches them: %s', (text, list, overlaps) => {
    expect(overlapsAny(parse<IpPrefix>(parseIpPrefix(text)), list)).toBe(overlaps)
  })
})

function parse<Parsed>(parsed: Parsed | undefined): Parsed {
  if (parsed === undefined) throw new Error('bad text in a test')
  return parsed
}
