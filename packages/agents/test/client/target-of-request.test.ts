import { formatIpPrefix } from '@breakwater/core'
import { describe, expect, it } from 'vitest'

import { targetOfRequest } from '../../src/client/target-of-request.ts'

describe('the target of a command', () => {
  it('takes prefixes as they are, and an address for itself alone', () => {
    const { prefixes } = targetOfRequest({ prefixes: ['203.0.113.0/28', '203.0.113.7', '2001:db8::1'] })
    expect(prefixes.map(formatIpPrefix)).toEqual(['203.0.113.0/28', '203.0.113.7/32', '2001:db8::1/128'])
  })

  it.each(['203.0.113.7/28', '203.0.113', '0177.0.0.1', 'home.example', ''])('refuses %j', (text) => {
    expect(() => targetOfRequest({ prefixes: [text] })).toThrow(/no address and no prefix/)
  })

  it('refuses ports upside down', () => {
    const ports = [{ lower: 90, upper: 80 }]
    expect(() => targetOfRequest({ prefixes: ['203.0.113.7'], ports })).toThrow(/the lower one comes first/)
  })
})
