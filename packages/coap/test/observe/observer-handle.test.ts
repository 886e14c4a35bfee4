import { OutgoingBatch, newPeerId, toHex } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { Code, OptionNumber, uintOption } from '../../src/index.ts'
import type {
  CoapOption,
  CoapResponse,
  CoapSessionOptions,
  IncomingExchange,
  ObserverHandle
} from '../../src/index.ts'
import { Lockstep } from '../lockstep.ts'

/** As the application of very many observers: every notification is in its own hands, none has to be Confirmable. */
const UNBOUNDED = { draw: 0, longestUnconfirmedSeconds: Infinity }
const BLOCKWISE = { blockwise: { preferredSize: 64, maximumBodyBytes: 1000 } }

const EXCHANGE = 1 as IncomingExchange
const OBSERVE = uintOption(OptionNumber.observe, 0)

function content(text: string, options: readonly CoapOption[] = []): CoapResponse {
  return { code: Code.content, options: [OBSERVE, ...options], payload: new TextEncoder().encode(text) }
}

/** A server with an observer as exchange 1, and what it hears past the layers of the session. */
class Direct {
  readonly server: Lockstep

  constructor(options: Partial<CoapSessionOptions> = {}, request = 'NON [0a01] GET (4a) /x Observe=0') {
    this.server = new Lockstep({ ...UNBOUNDED, ...options })
    this.server.receive(request)
    this.server.respond(1, Code.content, 'one', { observe: 0 })
  }

  tell(response: CoapResponse): string | undefined {
    return this.tellBy(this.server.session.observer(EXCHANGE), response)
  }

  tellBy(handle: ObserverHandle | undefined, response: CoapResponse): string | undefined {
    const [peer, batch] = [newPeerId(), new OutgoingBatch()]
    const isIn = handle?.notify(response, peer, batch, this.server.now) === true
    expect(batch.count).toBe(isIn ? 1 : 0)
    if (!isIn) return undefined
    expect(batch.peer(0)).toBe(peer)
    return toHex(batch.bytes(0))
  }

  /** The same by `notify`. */
  notify(response: CoapResponse): string {
    this.server.feed({ kind: 'notify', exchange: EXCHANGE, response, confirmable: false })
    return toHex(this.server.sent.at(-1) ?? new Uint8Array(0))
  }
}

describe('an observer that is told past the layers of its session', () => {
  test.each([{}, BLOCKWISE])('hears byte for byte what `notify` would have sent %j', (options) => {
    const [direct, usual] = [new Direct(options), new Direct(options)]
    for (const text of ['two', 'three', ''])
      expect(direct.tell(content(text))).toBe(usual.notify(content(text)))
  })

  test('numbers and Message IDs go on whichever way it is told', () => {
    const [direct, usual] = [new Direct(), new Direct()]
    direct.tell(content('two'))
    usual.notify(content('two'))
    expect(direct.notify(content('three'))).toBe(usual.notify(content('three')))
    expect(direct.tell(content('four'))).toBe(usual.notify(content('four')))
  })

  test('is gone after a Reset of what it was told', () => {
    const direct = new Direct()
    const told = direct.tell(content('two')) ?? ''
    expect(direct.server.receive(`RST [${told.slice(4, 8)}]`)).toEqual(['observer-gone 1'])
    expect(direct.tell(content('three'))).toBeUndefined()
  })

  test('hears nothing past them when it has deregistered, even by a handle of before', () => {
    const direct = new Direct()
    const handle = direct.server.session.observer(EXCHANGE)
    direct.server.receive('NON [0a02] GET (4a) /x Observe=1')
    expect(direct.tellBy(handle, content('two'))).toBeUndefined()
  })

  test('hears the end of its observation by `notify`', () => {
    const direct = new Direct()
    expect(direct.tell({ code: Code.notFound, options: [], payload: new Uint8Array(0) })).toBeUndefined()
  })

  test('another Content-Format goes by `notify`, which ends the observation (RFC 7641 §4.2)', () => {
    const direct = new Direct()
    direct.tell(content('two', [uintOption(OptionNumber.contentFormat, 50)]))
    expect(direct.tell(content('three', [uintOption(OptionNumber.contentFormat, 60)]))).toBeUndefined()
  })

  test('goes by `notify` while a Confirmable one is underway, and where some have to be', () => {
    const direct = new Direct()
    direct.server.feed({ kind: 'notify', exchange: EXCHANGE, response: content('two'), confirmable: true })
    expect(direct.tell(content('three'))).toBeUndefined()
    expect(new Direct({ longestUnconfirmedSeconds: 86_400 }).tell(content('two'))).toBeUndefined()
    expect(new Direct({ mostUnconfirmed: 5 }).tell(content('two'))).toBeUndefined()
    expect(new Direct({ notificationSpacingSeconds: 3 }).tell(content('two'))).toBeUndefined()
  })
})

describe('where blocks are in play', () => {
  test('a body that does not fit into one goes by `notify`', () => {
    const direct = new Direct(BLOCKWISE)
    expect(direct.tell(content('x'.repeat(65)))).toBeUndefined()
    expect(direct.tell(content('x'.repeat(64)))).toBeDefined()
  })

  test('a body that is longer than any message goes by `notify`', () => {
    const direct = new Direct({ blockwise: { preferredSize: 1024, maximumBodyBytes: 65_536 } })
    expect(direct.tell(content('x'.repeat(17_000)))).toBeUndefined()
    expect(direct.notify(content('x'.repeat(17_000)))).toContain('78'.repeat(1024))
  })

  test('all do from then on, also by a handle of before, until nobody fetches any', () => {
    const direct = new Direct(BLOCKWISE)
    const handle = direct.server.session.observer(EXCHANGE)
    direct.notify(content('x'.repeat(65)))
    expect(direct.tellBy(handle, content('two'))).toBeUndefined()
    direct.notify(content('two'))
    expect(direct.tellBy(handle, content('three'))).toBeDefined()
  })

  test('an observer that asked for a block size is told by `notify` only', () => {
    const direct = new Direct(BLOCKWISE, 'NON [0a01] GET (4a) /x Observe=0 2:0/0/32')
    expect(direct.tell(content('two'))).toBeUndefined()
  })
})
