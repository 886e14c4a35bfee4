import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { toHex } from '@breakwater/core'
import { describe, expect, it } from 'vitest'

import { allTargets, campaign } from './campaign.ts'
import { keptInputs } from './corpus.ts'

const targets = await allTargets()
// Another seed every time: the long campaigns are `npm run fuzz`, these few seconds look where they did not.
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000)
const seconds = Number(process.env.FUZZ_SECONDS ?? 3)

describe('mutated input', () => {
  it('has targets', () => {
    expect(targets.map(({ name }) => name)).toContain('coap-udp')
  })

  // What once broke a target, and what a campaign finds with luck only.
  it.each(targets.map((target) => [target.name, target] as const))(
    'replays the corpus of %s',
    (name, target) => {
      for (const bytes of [...(target.seeds ?? []), ...keptInputs(name)])
        expect(() => target.run(bytes), toHex(bytes)).not.toThrow()
    }
  )

  it('keeps a corpus for what has states, and nothing that no target reads', () => {
    expect(keptInputs('session-pair').length).toBeGreaterThan(10)
    expect(keptInputs('stream-pair').length).toBeGreaterThan(10)
    const names = new Set(targets.map(({ name }) => `${name}.hex`))
    expect(readdirSync(join(import.meta.dirname, 'corpus')).filter((file) => !names.has(file))).toEqual([])
  })

  it.each(targets.map((target) => [target.name, target] as const))('never breaks %s', (_, target) => {
    const { runs, failure } = campaign(target, seconds, seed)
    expect(failure, `seed ${seed}`).toBeUndefined()
    expect(runs).toBeGreaterThan(100)
  })
})
