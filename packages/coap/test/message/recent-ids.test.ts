import { describe, expect, test } from 'vitest'
import { RecentIds } from '../../src/message/recent-ids.ts'

describe('Message IDs of one sender', () => {
  test('are known with the ordinals of their messages', () => {
    const ids = new RecentIds()
    ids.add(7, 1)
    ids.add(9, 2)
    expect([7, 8, 9].map((id) => ids.ordinalOf(id))).toEqual([1, 0, 2])
  })

  test('only the last 8 are kept', () => {
    const ids = new RecentIds()
    for (let id = 1; id <= 1000; id++) ids.add(id, id)
    const known = Array.from({ length: 1000 }, (_, index) => index + 1).filter((id) => ids.ordinalOf(id) > 0)
    expect(known).toEqual([993, 994, 995, 996, 997, 998, 999, 1000])
  })

  test('an id that came round again stands for its last message', () => {
    const ids = new RecentIds()
    ids.add(7, 1)
    ids.add(7, 65_537)
    expect(ids.ordinalOf(7)).toBe(65_537)
  })
})
