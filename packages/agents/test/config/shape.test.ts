import * as fc from 'fast-check'
import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { clientConfigSchema } from '../../src/config/client-config.ts'
import { nearestWord } from '../../src/config/nearest-word.ts'
import { serverConfigSchema } from '../../src/config/server-config.ts'
import { checkShape } from '../../src/config/shape.ts'

/** Good texts and numbers, bad ones, and keys that exist: enough chaos for both verdicts to be met. */
const leaf = fc.oneof(
  fc.constantFrom('dry-run', 'nftables', 'forward', 'info', 'a', 'b.example'),
  fc.constantFrom(0, 1, 30, 4646, 70_000, 1.5, -1),
  fc.boolean(),
  fc.constant(null)
)
const keys = fc.constantFrom(
  'listen',
  'address',
  'port',
  'clients',
  'name',
  'identity',
  'dnsName',
  'pskIdentity',
  'prefixes',
  'mitigator',
  'kind',
  'hook',
  'table',
  'store',
  'path',
  'session',
  'ackRandomFactor',
  'domains',
  'site',
  'defaults',
  'log',
  'level'
)
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(keys, tie('tree'), { maxKeys: 5 })
  )
}))

describe('the check of shapes', () => {
  it.each([
    ['server', serverConfigSchema],
    ['client', clientConfigSchema]
  ])('accepts nothing that typebox refuses once the defaults are in (%s)', (_, schema) => {
    fc.assert(
      fc.property(tree, (value) => {
        const verdict = checkShape(schema, value, {})
        if (verdict.problems.length === 0) expect(Value.Check(schema, verdict.value)).toBe(true)
        else expect(verdict.problems.every(({ message }) => message.length > 0)).toBe(true)
      }),
      { numRuns: 500 }
    )
  })

  it.each([
    ['server', serverConfigSchema],
    ['client', clientConfigSchema]
  ])('accepts every part of a schema that typebox accepts (%s)', (_, schema) => {
    for (const [key, option] of Object.entries(schema.properties))
      fc.assert(
        fc.property(tree, (value) => {
          if (Value.Check(option, value)) expect(checkShape(option, value, {}).problems, key).toEqual([])
        }),
        { numRuns: 200 }
      )
  })

  it('does not take a key of every object for one of its own', () => {
    const { problems } = checkShape(serverConfigSchema, JSON.parse('{"__proto__": 1, "constructor": 2}'), {})
    const unknown = problems.filter(({ atKey }) => atKey === true).map(({ path }) => path[0])
    expect(unknown).toEqual(['__proto__', 'constructor'])
  })
})

describe('the nearest word', () => {
  const words = ['address', 'port', 'interface', 'heartbeatIntervalSeconds']
  it.each([
    ['prot', 'port'],
    ['adress', 'address'],
    ['heartbeat-interval-seconds', 'heartbeatIntervalSeconds'],
    ['heartbeatInterval', undefined],
    ['colour', undefined]
  ])('of %s is %s', (word, nearest) => {
    expect(nearestWord(word, words)).toBe(nearest)
  })
})
