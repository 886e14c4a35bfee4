import { describe, expect, it } from 'vitest'

import { type AcceptanceTimes, parallelism } from './parallelism.ts'

const together: AcceptanceTimes = { lastMs: 305, slowestAloneMs: 305 }
const inTurn: AcceptanceTimes = { lastMs: 610, slowestAloneMs: 305 }

describe('whether servers were asked in parallel', () => {
  it.each(['sim', 'netns'] as const)(
    'they were where they take as long as the slowest one alone, %s',
    (backend) => {
      expect(parallelism([together, together, together], backend).ok).toBe(true)
    }
  )

  it.each(['sim', 'netns'] as const)('they were not where one waited for the other, %s', (backend) => {
    expect(parallelism([inTurn, inTurn, inTurn], backend).ok).toBe(false)
  })

  it('in virtual time one that waited is too many, in real time it may have been the machine', () => {
    const rounds = [together, inTurn, together]
    expect(parallelism(rounds, 'sim').ok).toBe(false)
    expect(parallelism(rounds, 'netns').ok).toBe(true)
    expect(parallelism(rounds, 'netns').figures).toEqual({
      lastToSlowestRatio: 1,
      leastLastToSlowestRatio: 1,
      mostLastToSlowestRatio: 2
    })
  })

  it('nobody was asked at all: that is no success', () => {
    expect(parallelism([], 'netns').ok).toBe(false)
  })
})
