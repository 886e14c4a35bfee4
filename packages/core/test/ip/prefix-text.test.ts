import { formatIpPrefix, ipv4, ipv6, parseIpPrefix } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyPrefix } from '../arbitrary/ip.ts'

describe('parseIpPrefix', () => {
  test('reads back what formatIpPrefix writes', () => {
    fc.assert(
      fc.property(anyPrefix, (prefix) => {
        expect(parseIpPrefix(formatIpPrefix(prefix))).toEqual(prefix)
      })
    )
  })

  test.each([
    ['0.0.0.0/0', ipv4(0), 0],
    ['192.0.2.0/24', ipv4(0xc0000200), 24],
    ['192.0.2.1/32', ipv4(0xc0000201), 32],
    ['::/0', ipv6(0, 0, 0, 0), 0],
    ['2001:db8::/32', ipv6(0x20010db8, 0, 0, 0), 32],
    ['::1/128', ipv6(0, 0, 0, 1), 128]
  ])('reads %s', (text, address, length) => {
    expect(parseIpPrefix(text)).toEqual({ address, length })
  })

  test.each([
    ['an address alone', '192.0.2.0'],
    ['no length', '192.0.2.0/'],
    ['no address', '/24'],
    ['a length beyond IPv4', '192.0.2.0/33'],
    ['a length beyond IPv6', '::/129'],
    ['a negative length', '0.0.0.0/-1'],
    ['a signed length', '0.0.0.0/+0'],
    ['a length with leading zeros', '192.0.2.0/024'],
    ['a blank', '192.0.2.0/ 24'],
    ['a line end', '192.0.2.0/24\n'],
    ['a fraction', '192.0.2.0/24.0'],
    ['hexadecimal', '::/0x10'],
    ['a netmask', '192.0.2.0/255.255.255.0'],
    ['two lengths', '192.0.2.0/24/24'],
    ['a short IPv4 address', '10/8'],
    ['a zone', 'fe80::%eth0/64'],
    ['host bits', '192.0.2.1/24'],
    ['one host bit behind a word', '2001:db8:0:0:8000::/64'],
    ['host bits of the whole space', '0.0.0.1/0']
  ])('refuses %s: %j', (_why, text) => {
    expect(parseIpPrefix(text)).toBeUndefined()
  })

  test('clears host bits when asked to, and only those', () => {
    expect(parseIpPrefix('192.0.2.129/25', 'clear')).toEqual({ address: ipv4(0xc0000280), length: 25 })
    expect(parseIpPrefix('2001:db8::1/64', 'clear')).toEqual({
      address: ipv6(0x20010db8, 0, 0, 0),
      length: 64
    })
    expect(parseIpPrefix('192.0.2.1/33', 'clear')).toBeUndefined()
  })
})
