import { describe, expect, it } from 'vitest'

import { allTargets, campaign } from './campaign.ts'

const targets = await allTargets()
// Another seed every time: the long campaigns are `npm run fuzz`, these few seconds look where they did not.
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000)
const seconds = Number(process.env.FUZZ_SECONDS ?? 3)

describe('mutated input', () => {
  it('has targets', () => {
    expect(targets.map(({ name }) => name)).toContain('coap-udp')
  })

  it.each(targets.map((target) => [target.name, target] as const))('never breaks %s', (_, target) => {
    const { runs, failure } = campaign(target, seconds, seed)
    expect(failure, `seed ${seed}`).toBeUndefined()
    expect(runs).toBeGreaterThan(100)
  })
})
