import { decodeUtf8 } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import {
  backThroughProxy,
  Code,
  hopLimit,
  hopLimitReached,
  Method,
  nextHop,
  OptionNumber
} from '../src/index.ts'
import { uintOption, uriPath } from '../src/index.ts'
import { Lockstep } from './lockstep.ts'
import { openStream } from './stream-lockstep.ts'

const hops = (value: number): ReturnType<typeof uintOption> => uintOption(OptionNumber.hopLimit, value)

describe('Hop-Limit at an endpoint (RFC 8768 §3)', () => {
  test.each(['Hop-Limit=0', '#16=00', 'Hop-Limit=256', '#16=ffffffff', '#16=0000000001', '#16=0000000000'])(
    'a request with %s is answered by 4.00, and goes no further [RFC8768-3-M03]',
    (option) => {
      const server = new Lockstep()
      expect(server.receive(`CON [0001] GET (aa) /x ${option}`)[0]).toContain('> ACK [0001] 4.00 (aa)')
      expect(server.receive(`NON [0002] GET (aa) /x ${option}`)[0]).toMatch(/^> NON \[....\] 4\.00 \(aa\)/)
      expect(openStream().receive(`GET (aa) /x ${option}`)[0]).toContain('> 4.00 (aa)')
    }
  )

  test.each([1, 16, 255])('%i is handed up', (value) => {
    const server = new Lockstep()
    expect(server.receive(`CON [0001] GET (aa) /x Hop-Limit=${value}`)).toEqual(['request 1 CON GET /x'])
    expect(server.requests[0]?.options.at(-1)).toEqual(hops(value))
  })

  test('of several, the first counts, and the others are not seen [RFC8768-3-M01]', () => {
    const server = new Lockstep()
    expect(server.receive('CON [0001] GET (aa) /x Hop-Limit=7 Hop-Limit=0')).toEqual(['request 1 CON GET /x'])
    expect(server.requests[0]?.options).toEqual([...uriPath('x'), hops(7)])
    expect(server.receive('CON [0002] GET (aa) /x Hop-Limit=0 Hop-Limit=7')[0]).toContain('4.00')
    expect(() => server.get(1, 'x', { options: [hops(1), hops(2)] })).toThrow('more than once')
  })

  test('no other value than 1 to 255 is sent, and 16 where nobody says otherwise [RFC8768-3-M02] [RFC8768-3-M04]', () => {
    for (const value of [0, 256, -1, 1.5]) expect(() => hopLimit(value)).toThrow('1 … 255')
    const client = new Lockstep({ draw: 0 })
    for (const [exchange, option, seen] of [
      [1, hopLimit(), 16],
      [2, hopLimit(1), 1],
      [3, hopLimit(255), 255]
    ] as const) {
      client.request(exchange, Method.get, 'x', { options: [option], confirmable: false })
      const bytes = client.sent.at(-1) ?? new Uint8Array(0)
      const server = new Lockstep()
      server.receive(bytes)
      expect(server.requests[0]?.options.at(-1)).toEqual(hops(seen))
    }
  })

  test('an application that does not know the option never sees it', () => {
    const server = new Lockstep({ understoodOptions: new Set([OptionNumber.uriPath]) })
    expect(server.receive('CON [0001] GET (aa) /x Hop-Limit=0')).toEqual(['request 1 CON GET /x'])
    expect(server.requests[0]?.options).toEqual(uriPath('x'))
  })
})

describe('Hop-Limit on its way (RFC 8768 §3, §4)', () => {
  test('goes down by one at each hop, and is inserted where it is missing', () => {
    expect(nextHop([...uriPath('x'), hops(7), uintOption(60, 1)], 'gw')).toEqual({
      kind: 'forward',
      options: [...uriPath('x'), hops(6), uintOption(60, 1)]
    })
    expect(nextHop(uriPath('x'), 'gw')).toEqual({ kind: 'forward', options: [...uriPath('x'), hops(16)] })
    expect(nextHop(uriPath('x'), 'gw', 3)).toMatchObject({ options: [...uriPath('x'), hops(3)] })
  })

  test('ends at 1 with a 5.08 that names the proxy', () => {
    const end = nextHop([hops(1)], 'gw-1')
    if (end.kind !== 'exhausted') throw new Error('forwarded')
    expect(end.response.code).toBe(Code.hopLimitReached)
    expect(decodeUtf8(end.response.payload)).toBe('gw-1')
  })

  test('a 5.08 collects names on its way back, and stops where a name is there already', () => {
    const first = hopLimitReached('gw-1')
    const second = backThroughProxy(first, 'gw-2')
    expect(decodeUtf8(second?.payload ?? new Uint8Array(0))).toBe('gw-2 gw-1')
    expect(second === undefined ? second : backThroughProxy(second, 'gw-1')).toBeUndefined()
    const unreadable = { ...first, payload: Uint8Array.of(0xff) }
    expect(decodeUtf8(backThroughProxy(unreadable, 'gw-2')?.payload ?? new Uint8Array(0))).toBe('gw-2')
  })

  test.each(['', 'two words'])('"%s" names no proxy [RFC8768-4-M01]', (name) => {
    expect(() => nextHop([hops(1)], name)).toThrow('cannot name a proxy')
    expect(() => backThroughProxy(hopLimitReached('gw'), name)).toThrow('cannot name a proxy')
  })
})
