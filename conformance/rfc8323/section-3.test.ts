import { fromHex, Seconds } from '@breakwater/core'
import { Code } from '@breakwater/coap'
import { describe, expect, test } from 'vitest'

import { openStream, StreamLockstep } from '../../packages/coap/test/stream-lockstep.ts'

const token = '(12340000)'

describe('RFC 8323 §3.3: message transmission', () => {
  test('a CSM is the first message, and does not wait for the peer’s [RFC8323-3.3-M01] [RFC8323-3.3-M02] [RFC8323-5.3-M01]', () => {
    const stream = new StreamLockstep()
    expect(stream.drain()).toEqual(['> CSM #2=2100'])
    const busy = new StreamLockstep({ blockwise: { maximumBodyBytes: 1000, preferredSize: 64 } })
    expect(busy.get(1)).toEqual(['> CSM #2=2100 #4=', `> GET ${token} /x`])
  })

  test.each(['GET (aa) /x', '2.05 (aa)', 'PING (aa)', 'RELEASE', 'EMPTY'])(
    'what begins with %s instead of a CSM is aborted [RFC8323-3.3-M03]',
    (first) => {
      const stream = new StreamLockstep()
      stream.drain()
      expect(stream.receive(first)).toEqual([
        'malformed COAP_CSM_MISSING',
        '> ABORT "the first message is no CSM"',
        'close protocol "the first message is no CSM"'
      ])
      expect(stream.receive('CSM')).toEqual([])
    }
  )

  test.each(['CSM #2=0000000480', 'CSM #4=01', 'CSM #9='])(
    'an invalid CSM (%s) is aborted [RFC8323-3.3-M03]',
    (csm) => {
      const stream = new StreamLockstep()
      stream.drain()
      expect(stream.receive(csm)[1]).toContain('> ABORT #2=0')
    }
  )

  test('a CSM that never comes is aborted [RFC8323-3.3-M03]', () => {
    const stream = new StreamLockstep()
    stream.drain()
    expect(stream.advance(Seconds(29))).toEqual([])
    expect(stream.advance(Seconds(2))).toEqual([
      'malformed COAP_CSM_MISSING',
      '> ABORT "no CSM came in time"',
      'close protocol "no CSM came in time"'
    ])
  })

  test('a response leaves by the connection of its request, whatever other connections do [RFC8323-3.3-M04]', () => {
    const [one, other] = [openStream(), openStream()]
    one.receive('GET (aa) /x')
    other.receive('GET (aa) /x')
    expect(one.respond(1, Code.content, 'one')).toEqual(['> 2.05 (aa) "one"'])
    expect(other.drain()).toEqual([])
    one.feed({ kind: 'closed' })
    expect(one.respond(1, Code.content, 'late')).toEqual([])
    expect(other.respond(1, Code.content, 'other')).toEqual(['> 2.05 (aa) "other"'])
  })

  test('who serves nothing answers all requests by 5.01 [RFC8323-3.3-M05]', () => {
    const stream = openStream({ serves: false })
    expect(stream.receive('GET (aa) /x', 'PUT (bb) /y "z"', 'GET (cc) #9999=01')).toEqual([
      '> 5.01 (aa)',
      '> 5.01 (bb)',
      '> 5.01 (cc)'
    ])
  })

  test('responses may come in any order', () => {
    const stream = openStream()
    stream.get(1)
    stream.get(2)
    expect(stream.receive('2.05 (12340001) "two"')).toEqual(['response 2 2.05 "two" final'])
    expect(stream.receive(`2.05 ${token} "one"`)).toEqual(['response 1 2.05 "one" final'])
  })

  test('requests run both ways', () => {
    const stream = openStream()
    expect(stream.receive('GET (12340000) /theirs')).toEqual(['request 1 GET /theirs'])
    expect(stream.get(1, 'ours')).toEqual([`> GET ${token} /ours`])
    expect(stream.receive(`2.05 ${token} "yours"`)).toEqual(['response 1 2.05 "yours" final'])
    expect(stream.respond(1, Code.content, 'mine')).toEqual([`> 2.05 ${token} "mine"`])
  })

  test('nothing is repeated, and only Confirmable requests have an end of their own', () => {
    const stream = openStream()
    stream.get(1)
    stream.get(2, 'x', { confirmable: false })
    expect(stream.feed({ kind: 'repeat', exchange: 2 as never })).toEqual([])
    expect(stream.advance(Seconds(1000))).toEqual(['failed 1 timeout'])
    expect(stream.receive('2.05 (12340001) "late"')).toEqual(['response 2 2.05 "late" final'])
  })
})

describe('RFC 8323 §3.4: connection health', () => {
  test('Empty messages are ignored, whatever is in them [RFC8323-3.4-M01] [RFC8323-5.4-M01]', () => {
    const stream = openStream()
    expect(
      stream.receive('EMPTY', 'EMPTY (aa)', fromHex('2000ffff'), fromHex('2000f000'), 'GET (bb) /x')
    ).toEqual(['request 1 GET /x'])
    // Not even as the answer to what has its token.
    stream.get(1)
    expect(stream.receive(`EMPTY ${token}`)).toEqual([])
    expect(stream.receive(`2.05 ${token}`)).toEqual(['response 1 2.05 final'])
  })

  test('with the connection go all exchanges and observations', () => {
    const stream = openStream()
    stream.get(1)
    stream.get(2, 'x', { observe: 0 })
    stream.receive('2.05 (12340001) Observe=0 "state"')
    stream.ping(3)
    stream.receive('GET (aa) /x')
    expect(stream.feed({ kind: 'closed' })).toEqual([
      'failed 1 closed',
      'failed 2 closed',
      'failed 3 closed',
      'close closed-by-peer ""'
    ])
    expect(stream.session.nextTimeout()).toBeUndefined()
    expect(stream.get(4)).toEqual(['failed 4 closed'])
    expect(stream.ping(5)).toEqual(['failed 5 closed'])
  })
})
