import { Queue } from '@breakwater/core'
import { describe, expect, test } from 'vitest'

function drained(queue: Queue<{ readonly n: number }>): number[] {
  const numbers: number[] = []
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) numbers.push(item.n)
  return numbers
}

describe('Queue', () => {
  test('hands out in the order in which it was given, also when more comes meanwhile', () => {
    const queue = new Queue<{ readonly n: number }>()
    for (const n of [1, 2, 3]) queue.push({ n })
    expect(queue.shift()).toEqual({ n: 1 })
    queue.push({ n: 4 })
    expect(drained(queue)).toEqual([2, 3, 4])
    expect(queue.isEmpty).toBe(true)
    queue.push({ n: 5 })
    expect(queue.isEmpty).toBe(false)
    expect(drained(queue)).toEqual([5])
  })

  test('shows what waits, and takes nothing out', () => {
    const queue = new Queue<{ readonly n: number }>()
    expect([...queue]).toEqual([])
    for (const n of [1, 2, 3, 4]) queue.push({ n })
    queue.shift()
    expect([...queue]).toEqual([{ n: 2 }, { n: 3 }, { n: 4 }])
    expect(drained(queue)).toEqual([2, 3, 4])
    expect([...queue]).toEqual([])
  })

  test('says undefined when it is empty', () => {
    expect(new Queue().shift()).toBeUndefined()
  })

  test('is empty after it was cleared, whatever has left before', () => {
    const queue = new Queue<{ readonly n: number }>()
    for (const n of [1, 2, 3]) queue.push({ n })
    queue.shift()
    queue.clear()
    expect(queue.isEmpty).toBe(true)
    for (const n of [6, 7]) queue.push({ n })
    expect(drained(queue)).toEqual([6, 7])
  })
})
