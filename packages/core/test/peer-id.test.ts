import { describe, expect, it } from 'vitest'
import { newPeerId } from '../src/index.ts'

describe('a peer id', () => {
  it('is never given twice', () => {
    const ids = Array.from({ length: 1000 }, newPeerId)
    expect(new Set(ids).size).toBe(1000)
  })

  it('is an exact number, far above those that a native endpoint counts from 1', () => {
    const id = newPeerId()
    expect(Number.isSafeInteger(id)).toBe(true)
    expect(id).toBeGreaterThan(2 ** 49)
  })
})
