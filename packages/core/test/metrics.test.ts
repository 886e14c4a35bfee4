import { Counters } from '@breakwater/core'
import { expect, test } from 'vitest'

test('counters add up by name and label, and are read out in order', () => {
  const counters = new Counters()
  counters.count('requests_total', 'put')
  counters.count('requests_total', 'get', 2)
  counters.count('datagrams_total')
  counters.count('requests_total', 'put')
  expect(counters.value('requests_total', 'put')).toBe(2)
  expect(counters.value('requests_total')).toBe(0)
  expect(Object.entries(counters.snapshot())).toEqual([
    ['datagrams_total', 1],
    ['requests_total{get}', 2],
    ['requests_total{put}', 2]
  ])
})

test('a counter counts for its name, and is not read out before it has counted', () => {
  const counters = new Counters()
  const puts = counters.counter('requests_total', 'put')
  expect(counters.snapshot()).toEqual({})
  puts.add()
  puts.add(2)
  counters.count('requests_total', 'put')
  expect(puts.value).toBe(4)
  expect(counters.value('requests_total', 'put')).toBe(4)
})
