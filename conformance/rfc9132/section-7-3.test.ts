import { Method, OptionNumber, decodeMessage, findOption } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { plaintextOf } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TwoProviders, targetOf } from '../../packages/dots/test/client/two-providers.ts'

/** Header of IPv6 and UDP, and what DTLS 1.2 with AES-128-GCM adds: record header, explicit nonce, tag. */
const OVERHEAD_BYTES = 40 + 8 + 13 + 8 + 16

let world: TwoProviders
/** Requests of the site as they were on the wire, below DTLS. */
let puts: Uint8Array[]

beforeEach(async () => {
  world = new TwoProviders()
  puts = []
  world.network.tap(({ fate, from, transport, bytes }) => {
    const plaintext =
      fate.kind === 'sent' && from === 'site' && transport === 'udp' ? plaintextOf(bytes) : undefined
    if (plaintext === undefined) return
    const { code, options } = decodeMessage(plaintext)
    const isMitigation = options.some(({ value }) => String.fromCodePoint(...value) === 'mitigate')
    if (code === Method.put && isMitigation) puts.push(plaintext.slice())
  })
  await world.start()
})

afterEach(async () => {
  expect(world.wrongServerRequests()).toEqual([])
  await world.close()
})

describe('RFC 9132 §7.3: a request that would exceed the path MTU', () => {
  it('is split by its targets, so that each part fits one datagram of 1280 bytes [RFC9132-7.3-M03]', async () => {
    // No two of them are neighbours, so that none can be joined.
    const addresses = Array.from({ length: 120 }, (_, index) => `198.51.100.${2 * index}/32`)
    world.protect('many', targetOf(...addresses))
    await world.advance(Seconds(20))
    expect(world.state('many')).toBe('protected')
    expect(puts.length).toBeGreaterThanOrEqual(3)
    for (const { length } of puts) expect(length + OVERHEAD_BYTES).toBeLessThanOrEqual(1280)
    // Split into requests of their own, not into blocks of one.
    for (const put of puts)
      expect(findOption(decodeMessage(put).options, OptionNumber.block1)).toBeUndefined()
    const mids = new Set(
      world.sent.filter(({ prefixes }) => prefixes.length > 0).map(({ mitigationId }) => mitigationId)
    )
    expect(mids.size).toBe(puts.length)
    expect(
      world
        .mitigated()
        .flatMap((text) => text.replace('isp-a: ', '').split(' '))
        .toSorted()
    ).toEqual(addresses.toSorted())
  })

  it('is not split when it fits', async () => {
    world.protect('few', targetOf('198.51.100.7/32', '198.51.100.9/32'))
    await world.advance(Seconds(2))
    expect(puts).toHaveLength(1)
  })
})
