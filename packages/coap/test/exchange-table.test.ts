import { describe, expect, test } from 'vitest'
import { ExchangeTable } from '../src/exchange-table.ts'
import type { IncomingExchange } from '../src/session.ts'

const exchange = (number: number): IncomingExchange => number as IncomingExchange

function tableOf(...numbers: readonly number[]): ExchangeTable<string> {
  const table = new ExchangeTable<string>()
  for (const number of numbers) table.add(exchange(number), `entry ${number}`)
  return table
}

function takenFrom(table: ExchangeTable<string>): string[] {
  const taken: string[] = []
  for (let entry = table.takeOldest(() => true); entry !== undefined; entry = table.takeOldest(() => true))
    taken.push(entry)
  return taken
}

describe('ExchangeTable', () => {
  test('finds each of several, and none that was taken out', () => {
    const table = tableOf(1, 2, 3)
    expect(table.size).toBe(3)
    expect([1, 2, 3, 4].map((number) => table.get(exchange(number)))).toEqual([
      'entry 1',
      'entry 2',
      'entry 3',
      undefined
    ])
    table.delete(exchange(1))
    table.delete(exchange(3))
    table.delete(exchange(9))
    expect([1, 2, 3].map((number) => table.get(exchange(number)))).toEqual([undefined, 'entry 2', undefined])
    expect(table.size).toBe(1)
  })

  test('keeps the order of arrival, whichever has gone meanwhile', () => {
    const table = tableOf(1, 2, 3)
    table.delete(exchange(1))
    table.add(exchange(4), 'entry 4')
    expect(takenFrom(table)).toEqual(['entry 2', 'entry 3', 'entry 4'])
    expect(table.size).toBe(0)
    table.add(exchange(5), 'entry 5')
    expect(takenFrom(table)).toEqual(['entry 5'])
  })

  test('leaves the oldest one in its place while it is not over', () => {
    const table = tableOf(1, 2)
    expect(table.takeOldest((entry) => entry === 'entry 2')).toBeUndefined()
    expect(table.size).toBe(2)
    expect(tableOf().takeOldest(() => true)).toBeUndefined()
  })
})
