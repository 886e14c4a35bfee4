import { fromHex, Instant, Seconds, after } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { Code, defaultParameters, encodeMessage, uriPath } from '../src/index.ts'
import { Lockstep } from './lockstep.ts'
import { wire } from '@breakwater/testing'

const reset = (id: string): string => `> RST [${id}]`

describe('a Confirmable message that cannot be processed', () => {
  test.each([
    ['class 1', '40200a01', 'COAP_CODE_RESERVED'],
    ['class 6', '40c00a01', 'COAP_CODE_RESERVED'],
    ['class 7', '40e00a01', 'COAP_CODE_RESERVED'],
    ['a reserved token length', '49010a01000000000000000000', 'COAP_TOKEN_LENGTH_RESERVED'],
    ['a truncated token', '42010a0101', 'COAP_TOKEN_TRUNCATED'],
    ['a marker without payload', '40010a01ff', 'COAP_PAYLOAD_MISSING'],
    ['an option past the end', '40010a01b5aa', 'COAP_OPTION_TRUNCATED'],
    ['bytes in an Empty message', '40000a0100', 'COAP_EMPTY_NOT_EMPTY']
  ])(
    '%s is rejected with an Empty Reset that echoes its Message ID [RFC7252-4.2-M01] [RFC7252-4.2-M03]',
    (_, hex, code) => {
      const session = new Lockstep()
      expect(session.receive(fromHex(hex))).toEqual([`malformed ${code}`, reset('0a01')])
      expect(session.sent[0]).toEqual(fromHex('70000a01'))
    }
  )

  test('a ping is answered by a Reset [RFC7252-4.2-M01]', () => {
    expect(new Lockstep().receive('CON [0a01]')).toEqual([reset('0a01')])
  })
})

describe('what is ignored in silence', () => {
  test.each(['00010a01', '80010a01', 'c0010a01'])('version of %s [RFC7252-3-M02]', (hex) => {
    expect(new Lockstep().receive(fromHex(hex))).toEqual(['malformed COAP_VERSION_UNKNOWN'])
  })

  test.each([
    ['Empty', '50000a01'],
    ['of class 1', '50200a01'],
    ['of class 7', '50e00a01'],
    ['with a truncated token', '52010a0101'],
    ['with a reserved token length', '5f010a01'],
    ['with an option past the end', '50010a01b5aa']
  ])('a Non-confirmable message %s [RFC7252-4.3-M03] [RFC7252-4.3-M04]', (_, hex) => {
    const lines = new Lockstep().receive(fromHex(hex))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^malformed /)
  })

  test.each([
    '60000a01',
    '60450a01',
    '60010a01',
    '60200a01',
    '6045',
    '62450a0101',
    '70000a01',
    '70450a01',
    '70000a0100'
  ])('Acknowledgement or Reset %s, asked for or not [RFC7252-4.2-M04]', (hex) => {
    const lines = new Lockstep().receive(fromHex(hex))
    expect(lines.filter((text) => text.startsWith('> '))).toEqual([])
  })

  test.each(['', '40', '4001', '40010a'])('a datagram of "%s"', (hex) => {
    expect(new Lockstep().receive(fromHex(hex))).toEqual(['malformed COAP_HEADER_TRUNCATED'])
  })
})

describe('what it hands up', () => {
  test('stays valid after the buffer of the datagram has been used again', () => {
    const session = new Lockstep()
    const datagram = wire('NON [0001] PUT (0a) /x "before"')
    session.session.handle({ kind: 'datagram', bytes: datagram }, Instant(0))
    datagram.fill(0xff)
    const output = session.session.poll()
    expect(output).toMatchObject({
      kind: 'request',
      request: { payload: wire('NON [0001] PUT "before"').subarray(5), options: uriPath('x') }
    })
  })
})

/** A Non-confirmable PUT with this Message ID. */
function request(messageId: number): Uint8Array {
  return encodeMessage({
    type: 'non-confirmable',
    code: 3,
    messageId: messageId & 0xffff,
    token: Uint8Array.of(1),
    options: uriPath('x'),
    payload: new Uint8Array(0)
  })
}

describe('a busy peer', () => {
  test('is served 40,000 times with a bounded memory, and its copies are told within the last 512', () => {
    const server = new Lockstep()
    for (let id = 0; id < 40_000; id++) {
      if (server.receive(request(id)).length !== 1) throw new Error(`request ${id} was lost`)
      server.respond(id + 1, Code.changed)
    }
    expect(server.receive(request(39_999))).toEqual([])
    expect(server.receive(request(40_000 - 512))).toEqual([])
    expect(server.receive(request(40_000 - 513))).toHaveLength(1)
  })

  test('that outruns the application loses requests, which can come again', () => {
    const server = new Lockstep({ maxUnanswered: 2 })
    expect(server.receive(request(1))).toHaveLength(1)
    expect(server.receive(request(2))).toHaveLength(1)
    expect(server.receive(request(3))).toEqual([])
    server.respond(1, Code.changed)
    expect(server.receive(request(3))).toEqual(['request 3 NON PUT /x'])
  })

  test('does not starve for requests that the application never answers', () => {
    const server = new Lockstep({ maxUnanswered: 2 })
    server.receive(request(1))
    server.receive(request(2))
    server.now = Instant(145_000)
    expect(server.receive(request(3))).toHaveLength(1)
    expect(server.respond(1, Code.changed)).toEqual([])
  })
})

describe('an idle session', () => {
  test('waits for nothing, before it was used and EXCHANGE_LIFETIME after', () => {
    const session = new Lockstep()
    expect(session.session.nextTimeout()).toBeUndefined()
    session.receive('NON [0001] PUT (0a) /x')
    session.respond(1, Code.changed)
    session.receive('CON [0002] PUT (0a) /x')
    session.respond(2, Code.changed)
    expect(session.session.nextTimeout()).toBe(247_000)
    session.advance(Seconds(3 * 247))
    expect(session.session.nextTimeout()).toBeUndefined()
  })

  test('has one wake-up for all that it remembers', () => {
    const session = new Lockstep()
    session.receive('NON [0001] PUT (0a) /x')
    session.respond(1, Code.changed)
    for (let id = 2; id < 100; id++) {
      session.now = after(session.now, Seconds(1))
      session.receive(`NON [${id.toString(16).padStart(4, '0')}] PUT (0a) /x`)
      session.respond(id, Code.changed)
      expect(session.session.nextTimeout()).toBe(247_000)
    }
  })
})

describe('a caller’s mistake', () => {
  test('is thrown and leaves nothing behind', () => {
    const client = new Lockstep()
    const bad = [{ number: 70_000, value: new Uint8Array(0) }]
    expect(() => client.get(1, 'x', { options: bad })).toThrow('option number 70000')
    expect(client.get(1, 'x')).toHaveLength(1)
    expect(() => client.get(1, 'x')).toThrow('in use')
    expect(() =>
      client.feed({ kind: 'parameters', parameters: { ...defaultParameters, nstart: 0 } })
    ).toThrow('nstart 0')
  })

  test('a response that cannot be sent can be replaced by one that can', () => {
    const server = new Lockstep()
    server.receive('CON [0001] GET (0a) /x Observe=0')
    const bad = [{ number: 70_000, value: new Uint8Array(0) }]
    expect(() => server.respond(1, Code.content, '', { observe: 0, options: bad })).toThrow(
      'option number 70000'
    )
    expect(server.notify(1, 'x', false)).toEqual([])
    expect(server.respond(1, Code.internalServerError)).toEqual(['> ACK [0001] 5.00 (0a)'])
  })

  test.each(['respond', 'notify', 'forget', 'repeat', 'cancel'])(
    '%s for what does not exist is ignored',
    (what) => {
      const session = new Lockstep()
      const acts: Readonly<Record<string, () => string[]>> = {
        respond: () => session.respond(9, Code.content),
        notify: () => session.notify(9, '', true),
        forget: () => session.forgetObserver(9),
        repeat: () => session.repeat(9),
        cancel: () => session.cancel(9)
      }
      expect(acts[what]?.()).toEqual([])
    }
  )
})
