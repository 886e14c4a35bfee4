import { Instant } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import type { ClientOutput } from '../../../src/client/client-io.ts'
import { ProtectionNames } from '../../../src/client/names/protection-names.ts'
import { ProtectionId } from '../../../src/domain/identifier.ts'

describe('the names of protections', () => {
  it('that are answered one after the other are placed together, the first of them at once', () => {
    const outputs: ClientOutput[] = []
    const names = new ProtectionNames((output) => outputs.push(output))
    const ids = ['p-1', 'p-2', 'p-3'].map((text) => ProtectionId(text))
    for (const id of ids) names.hold(id, [`${id}.example`], Instant(0))
    const questions = outputs.flatMap((each) => (each.kind === 'resolve-target' ? [each.question] : []))
    const answer = (index: number, at: number): string[] => {
      const outcome = { kind: 'addresses', addresses: [address('198.51.100.7')], ttlSeconds: 60 } as const
      names.answered(questions[index] ?? 0, outcome, Instant(at))
      return [...names.takeChanged(Instant(at))]
    }
    expect(answer(0, 20)).toEqual(['p-1'])
    expect(answer(1, 21)).toEqual([])
    expect(answer(2, 99)).toEqual([])
    expect(names.nextTimeout()).toBe(120)
    expect([...names.takeChanged(Instant(120))]).toEqual(['p-2', 'p-3'])
    expect(names.nextTimeout()).toBe(60_020)
  })
})
