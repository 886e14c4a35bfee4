import { Seconds } from '@breakwater/core'
import { Code, Method } from '@breakwater/coap'
import { describe, expect, test } from 'vitest'

import { openStream, type StreamLockstep } from '../../packages/coap/test/stream-lockstep.ts'

const token = '(12340000)'

/** A client with an observation as exchange 1. */
function observing(): StreamLockstep {
  const stream = openStream()
  expect(stream.get(1, 'x', { observe: 0 })).toEqual([`> GET ${token} /x Observe=0`])
  stream.receive(`2.05 ${token} Observe=10 "10"`)
  return stream
}

/** A server with an observer as exchange 1. */
function observed(): StreamLockstep {
  const stream = openStream()
  stream.receive('GET (aa) /x Observe=0')
  expect(stream.respond(1, Code.content, 'now', { observe: 5 })).toEqual(['> 2.05 (aa) Observe=0 "now"'])
  return stream
}

describe('RFC 8323 §7: the client', () => {
  test('takes notifications in the order in which they come, whatever their Observe says [RFC8323-7.1-M01]', () => {
    const stream = observing()
    expect(
      stream.receive(
        `2.05 ${token} Observe=9 "9"`,
        `2.05 ${token} #6= "empty"`,
        `2.05 ${token} Observe=9 "again"`
      )
    ).toEqual(['response 1 2.05 "9"', 'response 1 2.05 "empty"', 'response 1 2.05 "again"'])
  })

  test('deregisters by a GET with the token of the observation and Observe 1 [RFC8323-7.4-M01]', () => {
    const stream = observing()
    expect(stream.cancel(1)).toEqual([`> GET ${token} /x Observe=1`])
    // What was underway is for nobody; the answer without Observe frees the token.
    expect(stream.receive(`2.05 ${token} #6= "late"`)).toEqual([])
    expect(stream.receive(`2.05 ${token} "last"`)).toEqual([])
    expect(stream.session.nextTimeout()).toBeUndefined()
  })

  test('deregisters also where the registration is not answered yet [RFC8323-7.4-M01]', () => {
    const stream = openStream()
    stream.get(1, 'x', { observe: 0 })
    expect(stream.cancel(1)).toEqual([`> GET ${token} /x Observe=1`])
    // The number is free again, and means another request now.
    expect(stream.get(1, 'y')).toEqual(['> GET (12340001) /y'])
    expect(stream.receive(`2.05 ${token} Observe=1 "registered"`, `2.05 ${token} "deregistered"`)).toEqual([])
    expect(stream.receive('2.05 (12340001) "y"')).toEqual(['response 1 2.05 "y" final'])
  })

  test('a plain request that is cancelled is forgotten without a word', () => {
    const stream = openStream()
    stream.get(1)
    expect(stream.cancel(1)).toEqual([])
    expect(stream.receive(`2.05 ${token} "late"`)).toEqual([])
  })

  test('an observation ends with an error, or without the Observe option', () => {
    expect(observing().receive(`4.04 ${token}`)).toEqual(['response 1 4.04 final'])
    expect(observing().receive(`2.05 ${token} "last"`)).toEqual(['response 1 2.05 "last" final'])
  })

  test('a response with a critical option that is not understood fails the request, and deregisters', () => {
    expect(observing().receive(`2.05 ${token} Observe=1 #9=`)).toEqual([
      'malformed COAP_OPTION_UNSUPPORTED',
      `> GET ${token} /x Observe=1`,
      'failed 1 unsupported-critical-option'
    ])
  })
})

describe('RFC 8323 §7: the server', () => {
  test('notifies with the token, at once and in order', () => {
    const stream = observed()
    expect(stream.notify(1, 'a')).toEqual(['> 2.05 (aa) Observe=0 "a"'])
    expect(stream.notify(1, 'b')).toEqual(['> 2.05 (aa) Observe=0 "b"'])
    expect(stream.notify(1, '', Code.notFound)).toEqual(['> 4.04 (aa)'])
    expect(stream.notify(1, 'c')).toEqual([])
  })

  test('an observation does not outlive its connection, however that ends [RFC8323-7.4-M02]', () => {
    for (const end of [
      (stream: StreamLockstep) => stream.feed({ kind: 'closed' }),
      (stream: StreamLockstep) => stream.receive('ABORT'),
      (stream: StreamLockstep) => stream.receive('RELEASE')
    ]) {
      const stream = observed()
      expect(end(stream)).toContain('observer-gone 1')
      expect(stream.notify(1, 'late')).toEqual([])
    }
  })

  test('deregistration and renewal by the same token', () => {
    const stream = observed()
    expect(stream.receive('GET (aa) /x Observe=1')).toEqual(['observer-gone 1', 'request 2 GET /x'])
    expect(stream.respond(2, Code.content, 'x', { observe: 0 })).toEqual(['> 2.05 (aa) "x"'])
    const again = observed()
    expect(again.receive('GET (aa) /x Observe=0')).toEqual(['observer-gone 1', 'request 2 GET /x'])
  })

  test('no more observers than agreed', () => {
    const stream = openStream({ maxObservers: 1 })
    stream.receive('GET (aa) /x Observe=0', 'GET (bb) /x Observe=0')
    stream.respond(1, Code.content, 'x', { observe: 0 })
    expect(stream.respond(2, Code.content, 'x', { observe: 0 })).toEqual([
      '> 2.05 (bb) "x"',
      'observer-gone 2'
    ])
  })

  test('a notification that the peer cannot take ends the observation', () => {
    const stream = observed()
    expect(stream.notify(1, new Uint8Array(2000))).toEqual(['> 5.00 (aa)', 'observer-gone 1'])
  })
})

describe('limits', () => {
  test('who has too much open is answered by 4.29 with a Max-Age, as nothing may be dropped here', () => {
    const stream = openStream({ maxUnanswered: 1 })
    stream.receive('GET (aa) /x')
    expect(stream.receive('GET (bb) /y')).toEqual(['> 4.29 (bb) Max-Age=5'])
    stream.advance(Seconds(248))
    expect(stream.receive('GET (cc) /z')).toEqual(['request 2 GET /z'])
  })

  test('our own requests are limited, those that are being cancelled included', () => {
    const stream = openStream({ maxExchanges: 1 })
    stream.get(1, 'x', { observe: 0 })
    stream.cancel(1)
    expect(stream.get(2)).toEqual(['failed 2 session-full'])
    stream.receive(`2.05 ${token} "gone"`)
    expect(stream.request(3, Method.delete, 'x')).toEqual([`> DELETE ${token} /x`])
  })

  test('a critical option that is not understood is answered by 4.02', () => {
    expect(openStream().receive('GET (aa) /x #9=')[1]).toContain('> 4.02 (aa) "option 9')
    expect(openStream().receive('GET (aa) #35=636f6170')[1]).toContain('> 5.05 (aa)')
  })
})
