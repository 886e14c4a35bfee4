import {
  addressBits,
  compareIpAddresses,
  equalIpAddresses,
  ipAddressFromBytes,
  ipAddressToBytes,
  ipv4,
  ipv6,
  parseIpAddress
} from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyAddress } from '../arbitrary/ip.ts'

describe('an IP address', () => {
  test('takes signed words by their bits', () => {
    expect(ipv4(-1)).toEqual(ipv4(0xffffffff))
    expect(ipv6(-1, -2, 0, -0x80000000)).toEqual(ipv6(0xffffffff, 0xfffffffe, 0, 0x80000000))
  })

  test('survives the way through its bytes', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        const bytes = ipAddressToBytes(address)
        expect(8 * bytes.length).toBe(addressBits(address.family))
        expect(ipAddressFromBytes(bytes)).toEqual(address)
      })
    )
  })

  test('has its bytes in network order', () => {
    expect([...ipAddressToBytes(ipv4(0xc0000201))]).toEqual([192, 0, 2, 1])
    expect([...ipAddressToBytes(ipv6(0x20010db8, 0, 0, 0xff))]).toEqual([
      0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff
    ])
  })

  test('is read from a view into a larger buffer', () => {
    expect(ipAddressFromBytes(Uint8Array.of(9, 9, 192, 0, 2, 1, 9).subarray(2, 6))).toEqual(ipv4(0xc0000201))
  })

  test.each([0, 1, 3, 5, 15, 17, 32])('is not made of %i bytes', (count) => {
    expect(() => ipAddressFromBytes(new Uint8Array(count))).toThrow(
      expect.objectContaining({ name: 'DecodeError', code: 'CORE_IP_ADDRESS_LENGTH_INVALID' })
    )
  })

  test('of IPv4 does not equal its IPv4-mapped form', () => {
    expect(equalIpAddresses(ipv4(0x01020304), ipv6(0, 0, 0xffff, 0x01020304))).toBe(false)
    expect(equalIpAddresses(ipv4(1), ipv6(1, 0, 0, 0))).toBe(false)
  })

  test('orders by family, then as an unsigned number', () => {
    const inOrder = [
      '0.0.0.0',
      '9.255.255.255',
      '10.0.0.0',
      '200.0.0.0',
      '::',
      '::1',
      '1::',
      '8000::',
      'ffff::'
    ]
    const addresses = inOrder.map((text) => parseIpAddress(text) ?? ipv4(0))
    expect(addresses.toReversed().toSorted(compareIpAddresses)).toEqual(addresses)
  })

  test('compares as equal exactly when it is equal, and the other way round when swapped', () => {
    fc.assert(
      fc.property(anyAddress, anyAddress, (x, y) => {
        expect(compareIpAddresses(x, y) === 0).toBe(equalIpAddresses(x, y))
        expect(Math.sign(compareIpAddresses(x, y)) + Math.sign(compareIpAddresses(y, x))).toBe(0)
        expect(compareIpAddresses(x, { ...x })).toBe(0)
      })
    )
  })
})
