import { after, Minutes, Seconds } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { Code } from '../../src/index.ts'
import { Lockstep } from '../lockstep.ts'

/** A server with an observer as exchange 1, token 4a; its own Message IDs begin at 0, sequence numbers at 1. */
function observed(type: 'CON' | 'NON' = 'CON'): Lockstep {
  const server = new Lockstep({ draw: 0 })
  server.receive(`${type} [0a01] GET (4a) /x Observe=0`)
  server.respond(1, Code.content, 'one', { observe: 0 })
  if (type === 'CON') expect(server.sent).toHaveLength(1)
  return server
}

describe('registration', () => {
  test('the first response carries a sequence number in place of the caller’s value', () => {
    const server = new Lockstep()
    server.receive('CON [0a01] GET (4a) /x Observe=0')
    expect(server.respond(1, Code.content, 'one', { observe: 99 })).toEqual([
      '> ACK [0a01] 2.05 (4a) Observe=1 "one"'
    ])
  })

  test('where the application does not want it, the response has no Observe option [RFC7641-4.1-M03]', () => {
    const server = new Lockstep()
    server.receive('CON [0a01] GET (4a) /x Observe=0')
    expect(server.respond(1, Code.content, 'one')).toEqual(['> ACK [0a01] 2.05 (4a) "one"'])
    expect(server.notify(1, 'two', false)).toEqual([])
  })

  test('where the list is full, the response has no Observe option, and the application is told [RFC7641-4.1-O01] [RFC7641-4.1-M03]', () => {
    const server = new Lockstep({ maxObservers: 1 })
    server.receive('CON [0a01] GET (4a) /x Observe=0')
    server.respond(1, Code.content, 'one', { observe: 0 })
    server.receive('CON [0a02] GET (4b) /y Observe=0')
    expect(server.respond(2, Code.content, 'one', { observe: 0 })).toEqual([
      'observer-gone 2',
      '> ACK [0a02] 2.05 (4b) "one"'
    ])
  })

  test('an error, a request that does not register, or another method makes no observer', () => {
    const server = new Lockstep()
    server.receive('CON [0a01] GET (4a) /x Observe=0')
    expect(server.respond(1, Code.notFound, '', { observe: 0 })).toEqual(['> ACK [0a01] 4.04 (4a)'])
    server.receive('CON [0a02] GET (4b) /x')
    expect(server.respond(2, Code.content, '', { observe: 0 })).toEqual(['> ACK [0a02] 2.05 (4b)'])
    server.receive('CON [0a03] PUT (4c) /x Observe=0')
    expect(server.respond(3, Code.changed, '', { observe: 0 })).toEqual(['> ACK [0a03] 2.04 (4c)'])
    for (const exchange of [1, 2, 3]) expect(server.notify(exchange, 'two', false)).toEqual([])
  })

  test('a second one with the same token replaces the first [RFC7641-4.1-M02]', () => {
    const server = observed()
    expect(server.receive('CON [0a02] GET (4a) /x Observe=0')).toEqual([
      'observer-gone 1',
      'request 2 CON GET /x'
    ])
    expect(server.respond(2, Code.content, 'again', { observe: 0 })).toEqual([
      '> ACK [0a02] 2.05 (4a) Observe=2 "again"'
    ])
    expect(server.notify(1, 'two', false)).toEqual([])
    expect(server.notify(2, 'two', false)).toEqual(['> NON [0000] 2.05 (4a) Observe=3 "two"'])
  })

  test('two with the same token that are answered late make one entry [RFC7641-4.1-M02]', () => {
    const server = new Lockstep({ draw: 0 })
    server.receive('NON [0a01] GET (4a) /x Observe=0')
    server.receive('NON [0a02] GET (4a) /x Observe=0')
    server.respond(1, Code.content, 'one', { observe: 0 })
    expect(server.respond(2, Code.content, 'one', { observe: 0 })[0]).toBe('observer-gone 1')
    expect(server.notify(1, 'two', false)).toEqual([])
    expect(server.notify(2, 'two', false)).toHaveLength(1)
  })

  test('deregistration removes the entry, and its response has no Observe option [RFC7641-4.1-M04] [RFC7641-4.1-M05]', () => {
    const server = observed()
    expect(server.receive('CON [0a02] GET (4a) /x Observe=1')).toEqual([
      'observer-gone 1',
      'request 2 CON GET /x'
    ])
    expect(server.respond(2, Code.content, 'bye', { observe: 0 })).toEqual(['> ACK [0a02] 2.05 (4a) "bye"'])
    expect(server.notify(1, 'two', false)).toEqual([])
    expect(server.notify(2, 'two', false)).toEqual([])
  })

  test('another token’s deregistration leaves the entry alone', () => {
    const server = observed()
    expect(server.receive('CON [0a02] GET (4b) /x Observe=1')).toEqual(['request 2 CON GET /x'])
    expect(server.notify(1, 'two', false)).toHaveLength(1)
  })
})

describe('notifications', () => {
  test('echo the token and have ascending sequence numbers of 24 bits [RFC7641-4.2-M01] [RFC7641-4.2-M05] [RFC7641-4.4-M01]', () => {
    const server = observed()
    expect(server.notify(1, 'two', false)).toEqual(['> NON [0000] 2.05 (4a) Observe=2 "two"'])
    expect(server.notify(1, 'three', true)).toEqual(['> CON [0001] 2.05 (4a) Observe=3 "three"'])
  })

  test('of several observations never share a number', () => {
    const server = observed()
    server.receive('NON [0a02] GET (4b) /y Observe=0')
    expect(server.respond(2, Code.content, 'y', { observe: 0 })).toEqual([
      '> NON [0000] 2.05 (4b) Observe=2 "y"'
    ])
    expect(server.notify(1, 'x', false)).toEqual(['> NON [0001] 2.05 (4a) Observe=3 "x"'])
  })

  test.each([true, false])(
    'an error has no Observe option, leaves (Confirmable: %s), and is the last [RFC7641-4.2-M02] [RFC7641-4.2-M05]',
    (confirmable) => {
      const server = observed()
      const type = confirmable ? 'CON' : 'NON'
      expect(server.notify(1, 'gone', confirmable, Code.notFound)).toEqual([
        `> ${type} [0000] 4.04 (4a) "gone"`
      ])
      expect(server.receive('ACK [0000]')).toEqual([])
      expect(server.notify(1, 'two', confirmable)).toEqual([])
    }
  )

  test('a Reset of a Confirmable one removes the observer [RFC7641-4.5-M02]', () => {
    const server = observed()
    server.notify(1, 'two', true)
    expect(server.receive('RST [0000]')).toEqual(['observer-gone 1'])
    expect(server.notify(1, 'three', true)).toEqual([])
    expect(server.session.nextTimeout()).toBe(247_000)
  })

  test('a Reset of a Non-confirmable one removes the observer, also of an earlier one [RFC7641-4.5-M02]', () => {
    const server = observed()
    server.notify(1, 'two', false)
    server.notify(1, 'three', false)
    expect(server.receive('RST [0000]')).toEqual(['observer-gone 1'])
    expect(server.receive('RST [0001]')).toEqual([])
  })

  test('a Reset of the first, Non-confirmable response removes the observer', () => {
    const server = observed('NON')
    expect(server.receive('RST [0000]')).toEqual(['observer-gone 1'])
  })

  test('a Confirmable one that times out removes the observer [RFC7641-4.5-M02]', () => {
    const server = observed()
    server.notify(1, 'two', true)
    expect(server.advance(Seconds(61))).toHaveLength(4)
    expect(server.advance(Seconds(1))).toEqual(['observer-gone 1'])
    expect(server.notify(1, 'three', true)).toEqual([])
  })

  test('an acknowledged one keeps the observer', () => {
    const server = observed()
    server.notify(1, 'two', true)
    expect(server.receive('ACK [0000]')).toEqual([])
    expect(server.notify(1, 'three', true)).toHaveLength(1)
  })

  test('to a forgotten observer do not leave, and one underway stops', () => {
    const server = observed()
    server.notify(1, 'two', true)
    expect(server.forgetObserver(1)).toEqual([])
    expect(server.advance(Seconds(100))).toEqual([])
    expect(server.notify(1, 'three', true)).toEqual([])
  })

  test('after 24 hours without a Confirmable one, the next is Confirmable [RFC7641-4.5-M03]', () => {
    const server = observed()
    server.now = after(server.now, Minutes(24 * 60 - 1))
    expect(server.notify(1, 'two', false)[0]).toMatch(/^> NON/)
    server.now = after(server.now, Minutes(1))
    expect(server.notify(1, 'three', false)).toEqual(['> CON [0001] 2.05 (4a) Observe=3 "three"'])
    server.receive('ACK [0001]')
    expect(server.notify(1, 'four', false)[0]).toMatch(/^> NON/)
  })
})

describe('the longest time without a Confirmable notification', () => {
  test.each([3600, Infinity])('can be %d seconds', (longestUnconfirmedSeconds) => {
    const server = new Lockstep({ draw: 0, longestUnconfirmedSeconds })
    server.receive('CON [0a01] GET (4a) /x Observe=0')
    server.respond(1, Code.content, 'one', { observe: 0 })
    const days = longestUnconfirmedSeconds === Infinity ? 30 : 0
    server.now = after(server.now, Minutes(days * 24 * 60 + 59))
    expect(server.notify(1, 'two', false)[0]).toMatch(/^> NON/)
    server.now = after(server.now, Minutes(days * 24 * 60 + 1))
    const type = longestUnconfirmedSeconds === Infinity ? 'NON' : 'CON'
    expect(server.notify(1, 'three', false)[0]?.slice(2, 5)).toBe(type)
  })
})

describe('a notification while another is underway', () => {
  test('takes its place at the next attempt, with a new Message ID, timer and counter kept [RFC7641-4.5.2-O02] [RFC7641-4.4-M04]', () => {
    const server = observed()
    server.notify(1, 'two', true)
    expect(server.advance(Seconds(2))).toEqual(['> CON [0000] 2.05 (4a) Observe=2 "two"'])
    expect(server.notify(1, 'three', true)).toEqual([])
    expect(server.notify(1, 'four', true)).toEqual([])
    // Sent at 0, 2 and, as ever, 6, 14 and 30 s; given up at 62 s.
    expect(server.advance(Seconds(3.9))).toEqual([])
    const four = '> CON [0001] 2.05 (4a) Observe=4 "four"'
    expect(server.advance(Seconds(0.1))).toEqual([four])
    expect(server.advance(Seconds(55.9))).toEqual([four, four])
    expect(server.advance(Seconds(0.1))).toEqual(['observer-gone 1'])
  })

  test('leaves when the one underway is acknowledged, as a transmission of its own [RFC7641-4.5-M01]', () => {
    const server = observed()
    server.notify(1, 'two', true)
    server.notify(1, 'three', true)
    server.notify(1, 'four', true)
    expect(server.receive('ACK [0000]')).toEqual(['> CON [0001] 2.05 (4a) Observe=4 "four"'])
    expect(server.receive('ACK [0001]')).toEqual([])
  })

  test('leaves in its own type once the one underway is acknowledged', () => {
    const server = observed()
    server.notify(1, 'two', true)
    expect(server.notify(1, 'three', false)).toEqual([])
    expect(server.receive('ACK [0000]')).toEqual(['> NON [0001] 2.05 (4a) Observe=3 "three"'])
  })

  test('does not leave when the one underway is rejected', () => {
    const server = observed()
    server.notify(1, 'two', true)
    server.notify(1, 'three', true)
    expect(server.receive('RST [0000]')).toEqual(['observer-gone 1'])
    expect(server.advance(Seconds(100))).toEqual([])
  })

  test('a late Acknowledgement of what was superseded starts the attempts anew, and does not end them', () => {
    const server = observed()
    server.notify(1, 'two', true)
    server.notify(1, 'three', true)
    server.advance(Seconds(2))
    const three = '> CON [0001] 2.05 (4a) Observe=3 "three"'
    expect(server.receive('ACK [0000]')).toEqual([])
    expect(server.advance(Seconds(30))).toEqual([three, three, three, three])
    expect(server.receive('ACK [0001]')).toEqual([])
  })

  test('a late Reset of what was superseded ends it', () => {
    const server = observed()
    server.notify(1, 'two', true)
    server.notify(1, 'three', true)
    server.advance(Seconds(2))
    expect(server.receive('RST [0000]')).toEqual(['observer-gone 1'])
    expect(server.advance(Seconds(100))).toEqual([])
  })

  test('takes the place of one that has not left yet', () => {
    const server = observed()
    server.receive('CON [0a02] GET (4b) /y Observe=0')
    server.respond(2, Code.content, 'y', { observe: 0 })
    server.notify(1, 'x', true)
    expect(server.notify(2, 'y2', true)).toEqual([])
    expect(server.notify(2, 'y3', true)).toEqual([])
    expect(server.receive('ACK [0000]')).toEqual(['> CON [0001] 2.05 (4b) Observe=5 "y3"'])
  })

  test('an error after it is delivered like any other, and nothing is reported', () => {
    const server = observed()
    server.notify(1, 'two', true)
    expect(server.notify(1, 'gone', true, Code.notFound)).toEqual([])
    expect(server.receive('ACK [0000]')).toEqual(['> CON [0001] 4.04 (4a) "gone"'])
    expect(server.receive('RST [0001]')).toEqual([])
  })

  test('the first response counts as one when it is separate', () => {
    const server = new Lockstep({ draw: 0 })
    server.receive('CON [0a01] GET (4a) /x Observe=0')
    server.advance(Seconds(1))
    expect(server.respond(1, Code.content, 'one', { observe: 0 })).toEqual([
      '> CON [0000] 2.05 (4a) Observe=1 "one"'
    ])
    expect(server.notify(1, 'two', true)).toEqual([])
    expect(server.receive('ACK [0000]')).toEqual(['> CON [0001] 2.05 (4a) Observe=2 "two"'])
  })
})
