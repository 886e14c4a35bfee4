import { describe, expect, it } from 'vitest'
import { carriersOfIpLink } from '../../src/interface-addresses/ip-link.ts'

describe('what ip says of links', () => {
  it.each([
    ['["BROADCAST","UP","LOWER_UP"]', true],
    ['["NO-CARRIER","BROADCAST","UP"]', false],
    ['["BROADCAST","LOWER_UP"]', false],
    ['[]', false]
  ])('with the flags %s is a carrier: %s', (flags, isUp) => {
    expect(carriersOfIpLink(`[{"ifname":"wan-a","flags":${flags}}]`)).toEqual(new Map([['wan-a', isUp]]))
  })

  it.each(['', '{}', '[null, 7]', '[{"ifname":"wan-a"}]', '[{"flags":["UP"]}]', '[{"ifname":7,"flags":[]}]'])(
    'names no link in %s',
    (text) => {
      expect(carriersOfIpLink(text).size).toBe(0)
    }
  )
})
