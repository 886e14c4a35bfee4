import { describe, expect, it } from 'vitest'
import { policyTableProblems, selectionSettingsOf } from '../../src/config/address-selection-config.ts'

describe('the configuration of address selection', () => {
  it('left out, leaves everything to RFC 6724', () => {
    expect(selectionSettingsOf()).toEqual({ prefersPublic: false })
  })

  it('says which rows there are, and both flags', () => {
    const settings = selectionSettingsOf({
      policy: [
        { prefix: '::/0', precedence: 40, label: 1 },
        { prefix: 'fe80::/10', precedence: 1, label: 2, zone: 'wan-a' }
      ],
      automaticRows: false,
      prefer: 'public'
    })
    expect(settings).toMatchObject({
      policy: [
        { precedence: 40, label: 1 },
        { precedence: 1, label: 2, zone: 'wan-a' }
      ],
      automaticRows: false,
      prefersPublic: true
    })
  })

  it('is told of rows that contradict each other, in the place of the later one', () => {
    const policy = [
      { prefix: '10.0.0.0/8', precedence: 1, label: 1 },
      { prefix: '::ffff:10.0.0.0/104', precedence: 2, label: 1 },
      { prefix: '2001:db8::/32', precedence: 2, label: 1, zone: 'wan-a' }
    ]
    expect(policyTableProblems({ policy }).map(({ path }) => path.at(-1))).toEqual([1, 2])
  })
})
