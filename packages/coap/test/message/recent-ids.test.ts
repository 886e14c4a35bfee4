import { describe, expect, test } from 'vitest'
import { RecentIds } from '../../src/message/recent-ids.ts'

describe('Message IDs of one sender', () => {
  test('are known with the ordinal of the last message', () => {
    const ids = new RecentIds()
    ids.add(7, 1)
    ids.add(9, 2)
    expect([7, 8, 9].map((id) => ids.ordinalOf(id))).toEqual([2, 0, 2])
  })

  test('the last one is known, and of the 30 before it those that were its own', () => {
    const ids = new RecentIds()
    for (let id = 1; id <= 1000; id += 3) ids.add(id, id)
    const known = Array.from({ length: 1000 }, (_, index) => index + 1).filter((id) => ids.ordinalOf(id) > 0)
    expect(known).toEqual([970, 973, 976, 979, 982, 985, 988, 991, 994, 997, 1000])
  })

  test('across the end of the numbers, too', () => {
    const ids = new RecentIds()
    ids.add(65_534, 1)
    ids.add(1, 2)
    expect([65_534, 65_535, 0, 1, 2].map((id) => ids.ordinalOf(id) > 0)).toEqual([
      true,
      false,
      false,
      true,
      false
    ])
  })

  test('none is known in the beginning, nor what is long ago', () => {
    const ids = new RecentIds()
    expect(ids.ordinalOf(0)).toBe(0)
    ids.add(0, 1)
    ids.add(31, 2)
    expect([0, 31].map((id) => ids.ordinalOf(id))).toEqual([0, 2])
  })

  test('an id that came round again stands for its last message', () => {
    const ids = new RecentIds()
    ids.add(7, 1)
    ids.add(7, 65_537)
    expect(ids.ordinalOf(7)).toBe(65_537)
  })
})
