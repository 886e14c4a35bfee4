import { describe, expect, test } from 'vitest'
import { SentIds } from '../../src/message/sent-ids.ts'

describe('Message IDs of Non-confirmable messages', () => {
  test('name their sender until it is forgotten', () => {
    const ids = new SentIds<string>()
    ids.add(1, 'a')
    ids.add(2, 'b')
    ids.add(3, 'a')
    expect([1, 2, 3, 4].map((id) => ids.find(id))).toEqual(['a', 'b', 'a', undefined])
    ids.forget('a')
    expect([1, 2, 3].map((id) => ids.find(id))).toEqual([undefined, 'b', undefined])
  })

  test('only the last 8 of a sender are kept', () => {
    const ids = new SentIds<string>()
    for (let id = 0; id < 1000; id++) ids.add(id, 'a')
    expect(Array.from({ length: 1000 }, (_, id) => id).filter((id) => ids.find(id) !== undefined)).toEqual([
      992, 993, 994, 995, 996, 997, 998, 999
    ])
  })

  test('an id that came round to another sender stays with that one', () => {
    const ids = new SentIds<string>()
    ids.add(1, 'a')
    ids.add(1, 'b')
    ids.forget('a')
    expect(ids.find(1)).toBe('b')
  })
})
