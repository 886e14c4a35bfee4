import { Seconds } from '@breakwater/core'
import { Code, Method } from '@breakwater/coap'
import { describe, expect, test } from 'vitest'

import { openStream } from '../../packages/coap/test/stream-lockstep.ts'

const token = '(12340000)'

describe('RFC 8323 §5.2: signaling options', () => {
  test.each(['PING (aa) #1=', 'PONG (aa) #3=', 'RELEASE #5=', 'ABORT #1=', 'CSM #7='])(
    'a critical option that is not known (%s) aborts the connection [RFC8323-5.2-M01]',
    (message) => {
      const lines = openStream().receive(message)
      expect(lines[0]).toBe('malformed COAP_SIGNAL_INVALID')
      expect(lines[1]).toContain('> ABORT')
      expect(lines[2]).toContain('close protocol')
    }
  )

  test('elective options that are not known are ignored [RFC8323-5.4-M03]', () => {
    const stream = openStream()
    expect(stream.receive('PING (aa) #8=01')).toEqual(['> PONG (aa)'])
    stream.ping(1)
    expect(stream.receive(`PONG ${token} #8=01`)).toEqual(['pong 1'])
    expect(stream.receive('CSM #100=0102')).toEqual([])
  })

  test('signaling codes that are not registered are ignored', () => {
    expect(openStream().receive(Uint8Array.of(0x00, 0xff), 'PING (aa)')).toEqual(['> PONG (aa)'])
  })
})

describe('RFC 8323 §5.3: CSM', () => {
  test('nothing longer than the peer’s Max-Message-Size is sent to it; 1152 before it says anything', () => {
    const stream = openStream({}, 'CSM')
    expect(stream.request(1, Method.put, 'x', { payload: new Uint8Array(1200) })).toEqual([
      'failed 1 message-too-large'
    ])
    expect(stream.receive('CSM #2=0800')).toEqual([])
    expect(stream.request(2, Method.put, 'x', { payload: new Uint8Array(1200) })[0]).toContain('<1200>')
    stream.receive('CSM #2=20')
    stream.receive('GET (aa) /x')
    expect(stream.respond(1, Code.content, new Uint8Array(100))).toEqual(['> 5.00 (aa)'])
  })

  test('what is not said again stays', () => {
    const stream = openStream({}, 'CSM #2=0800')
    stream.receive('CSM')
    expect(stream.request(1, Method.put, 'x', { payload: new Uint8Array(1200) })[0]).toContain('<1200>')
  })

  test('a peer that sends more than we take is aborted', () => {
    const stream = openStream({ maxMessageBytes: 1152 })
    const lines = stream.receive('PUT (aa) /x <1200>')
    expect(lines[0]).toBe('malformed COAP_MESSAGE_TOO_LONG')
    expect(lines[1]).toContain('> ABORT "')
  })
})

describe('RFC 8323 §5.4: Ping and Pong', () => {
  test('a Ping is answered at once by a Pong with its token [RFC8323-5.4-M02] [RFC8323-5.4-S01]', () => {
    const stream = openStream()
    stream.receive('GET (01) /slow')
    expect(stream.receive('PING (0102030405060708)')).toEqual(['> PONG (0102030405060708)'])
    expect(stream.receive('PING')).toEqual(['> PONG'])
  })

  test('with Custody the Pong waits until all before it is answered [RFC8323-5.4.1-S01]', () => {
    const stream = openStream()
    stream.receive('GET (01) /slow', 'GET (02) /slower')
    expect(stream.receive('PING (aa) #2=')).toEqual([])
    stream.receive('GET (03) /after')
    expect(stream.respond(2, Code.content)).toEqual(['> 2.05 (02)'])
    expect(stream.respond(1, Code.content)).toEqual(['> 2.05 (01)', '> PONG (aa) #2='])
    expect(openStream().receive('PING (bb) #2=')).toEqual(['> PONG (bb) #2='])
  })

  test('a request that is never answered does not hold a Pong for ever', () => {
    const stream = openStream()
    stream.receive('GET (01) /slow', 'PING (aa) #2=')
    expect(stream.advance(Seconds(248))).toEqual(['> PONG (aa) #2='])
  })

  test('our ping ends with its Pong, or with our patience', () => {
    const stream = openStream()
    expect(stream.ping(1)).toEqual([`> PING ${token}`])
    expect(stream.ping(2, true)).toEqual(['> PING (12340001) #2='])
    expect(stream.receive('PONG (12340001) #2=')).toEqual(['pong 2 custody'])
    expect(stream.receive('PONG (99)', 'PONG (12340001)')).toEqual([])
    expect(stream.advance(Seconds(94))).toEqual(['failed 1 timeout'])
  })
})

describe('RFC 8323 §5.5: Release', () => {
  test('closes after the peer’s requests are answered [RFC8323-5.5-S01]', () => {
    const stream = openStream()
    stream.receive('GET (01) /slow')
    expect(stream.receive('RELEASE #2=6f746865723a35363834 #4=3c "moving"')).toEqual([
      'released [other:5684] 60 "moving"'
    ])
    expect(stream.respond(1, Code.content)).toEqual(['> 2.05 (01)', 'close released ""'])
  })

  test('closes after our own requests are answered, too, but not for observations [RFC8323-5.5-O02]', () => {
    const stream = openStream()
    stream.get(1)
    stream.get(2, 'y', { observe: 0 })
    stream.receive('2.05 (12340001) Observe=0 "state"', 'RELEASE')
    expect(stream.receive(`2.05 ${token} "x"`)).toEqual([
      'response 1 2.05 "x" final',
      'failed 2 closed',
      'close released ""'
    ])
  })

  test('closes in any case in the end', () => {
    const stream = openStream()
    stream.get(1, 'x', { confirmable: false })
    stream.receive('RELEASE')
    expect(stream.advance(Seconds(248)).at(-1)).toBe('close released "not all was answered in time"')
  })

  test('whoever sent Release asks nothing more, and still answers [RFC8323-5.5-S02]', () => {
    const stream = openStream()
    stream.receive('GET (01) /x')
    const release = { alternativeAddresses: ['[2001:db8::1]:5684'], holdOffSeconds: 60, diagnostic: 'moving' }
    expect(stream.feed({ kind: 'release', release })).toEqual([
      '> RELEASE #2=5b323030313a6462383a3a315d3a35363834 #4=3c "moving"'
    ])
    expect(stream.get(1)).toEqual(['failed 1 closed'])
    expect(stream.respond(1, Code.content, 'x')).toEqual(['> 2.05 (01) "x"'])
    expect(stream.feed({ kind: 'release', release })).toEqual([])
    expect(stream.feed({ kind: 'closed' })).toEqual(['close closed-by-peer ""'])
  })
})

describe('RFC 8323 §5.6: Abort', () => {
  test('says why, in words [RFC8323-5.6-S01]', () => {
    expect(openStream().feed({ kind: 'abort', diagnostic: 'going down' })).toEqual([
      '> ABORT "going down"',
      'close aborted "going down"'
    ])
    expect(openStream().receive(Uint8Array.of(0x00, 0x20))[1]).toBe('> ABORT "code class 1 is reserved"')
  })

  test('names the CSM option that is to blame, with words besides [RFC8323-5.6-S02]', () => {
    expect(openStream().receive('CSM #9=')[1]).toBe('> ABORT #2=09 "CSM option 9 is not known here"')
    expect(openStream().receive('CSM #2=0000000480')[1]).toBe('> ABORT #2=02 "a Max-Message-Size of 5 bytes"')
  })

  test('the peer’s Abort ends everything without a word', () => {
    const stream = openStream()
    stream.get(1)
    expect(stream.receive('ABORT "bye"', 'GET (aa) /never')).toEqual([
      'failed 1 closed',
      'close aborted-by-peer "bye"'
    ])
  })
})
