import { describe, expect, it } from 'vitest'

import { conformancePage, provedBy, readReasons, readStatements } from './conformance-table.ts'

const statements = readStatements(
  [
    'id\tlevel\ttext',
    'RFC7641-1-M01\tMUST\ta',
    'RFC7641-1-M02\tMUST\tb',
    'RFC7641-1-S01\tSHOULD\tc',
    'RFC7641-1-S02\tSHOULD\td',
    'RFC7641-1-O01\tMAY\te',
    'RFC9999-1-M01\tMUST\tf',
    ''
  ].join('\n')
)
const report = (...tests: (readonly [string, string])[]): Parameters<typeof provedBy>[0] => [
  { testResults: [{ assertionResults: tests.map(([title, status]) => ({ title, status })) }] }
]
const none = { notApplicable: new Map<string, string>(), notOffered: new Map<string, string>() }

describe('the page of what is proved', () => {
  it('counts what passes and is in the title, and nothing that fails anywhere', () => {
    const proved = provedBy(
      report(
        ['does a [RFC7641-1-M01] [RFC7641-1-S01]', 'passed'],
        ['does b [RFC7641-1-M02]', 'failed'],
        ['does b once more [RFC7641-1-M02]', 'passed'],
        ['speaks of RFC7641-1-S02', 'passed']
      )
    )
    expect([...proved]).toEqual(['RFC7641-1-M01', 'RFC7641-1-S01'])
    const page = conformancePage(statements, proved, none)
    expect(page).toContain('CoAP: observing resources | 1 / 2 | 1 / 2 | 50.0 % | 0 / 1 | 0 | 0 |')
    expect(page).toContain('| RFC7641-1-M02 | no test yet |')
    expect(page).not.toContain('9999')
  })

  it('takes out what binds others or is not offered, and says why', () => {
    const exceptions = {
      notApplicable: readReasons('# head\nRFC7641-1-M02\tbinds caches\n'),
      notOffered: readReasons('RFC7641-1-S02\tmulticast\n')
    }
    const page = conformancePage(statements, new Set(['RFC7641-1-M01', 'RFC7641-1-S01']), exceptions)
    expect(page).toContain('| 1 / 1 | 1 / 1 | 100.0 % | 0 / 1 | 1 | 1 |')
    expect(page).toContain('| RFC7641-1-M02 | does not bind an agent: binds caches |')
    expect(page).toContain('| RFC7641-1-S02 | not offered: multicast |')
  })
})
