import { fromHex, toHex } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { decodeMessage } from '../../src/codec/decode.ts'
import { KnownOptions } from '../../src/codec/known-options.ts'

/** Uri-Path `a`, then `b`. */
const LIST = 'b1610162'

function optionsOf(hex: string): string {
  return decodeMessage(fromHex(`40030001${hex}`))
    .options.map(({ number, value }) => `${number}=${toHex(value)}`)
    .join(' ')
}

function faultOf(hex: string): string {
  try {
    return optionsOf(hex)
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('options that came before', () => {
  test('are the same ones in the next message, whatever its token and payload are', () => {
    const first = decodeMessage(fromHex(`40030001${LIST}ff01`))
    const second = decodeMessage(fromHex(`4203fffe0708${LIST}ff02`))
    expect(second.options).toBe(first.options)
    expect(second.token).toEqual(Uint8Array.of(7, 8))
    expect(second.payload).toEqual(Uint8Array.of(2))
  })

  test('are read anew when one byte differs', () => {
    expect(optionsOf(LIST)).toBe('11=61 11=62')
    expect(optionsOf('b1610163')).toBe('11=61 11=63')
    expect(optionsOf('b1610132')).toBe('11=61 11=32')
  })

  test('are not all of them when more follow in place of a payload', () => {
    expect(optionsOf(`${LIST}ff02`)).toBe('11=61 11=62')
    expect(optionsOf(`${LIST}1090`)).toBe('11=61 11=62 12= 21=')
  })

  test('do not hide a fault behind them', () => {
    // What has the same length has the same place.
    optionsOf(`${LIST}ff02`)
    expect(faultOf(`${LIST}10ff`)).toBe('COAP_PAYLOAD_MISSING')
    expect(faultOf(`${LIST}f000`)).toBe('COAP_OPTION_NIBBLE_RESERVED')
    expect(faultOf(`${LIST}0200`)).toBe('COAP_OPTION_TRUNCATED')
  })

  test('are not known by a message that ends within them', () => {
    const known = new KnownOptions()
    const message = fromHex(LIST)
    known.keep(message, 0, { options: [], length: 4 })
    expect(known.find(message, 0)).toBeDefined()
    // So long that it has the same place.
    expect(known.find(fromHex(`${LIST}${'00'.repeat(64)}`), 0)).toBeUndefined()
    expect(known.find(message, 1)).toBeUndefined()
  })

  test('are not known when a marker stands behind them and no payload', () => {
    const known = new KnownOptions()
    const message = fromHex(`${LIST}ff`)
    known.keep(message, 0, { options: [], length: 4 })
    expect(known.find(message, 0)).toBeUndefined()
  })

  test('are not kept when they are long', () => {
    const known = new KnownOptions()
    const message = new Uint8Array(65)
    known.keep(message, 0, { options: [], length: 65 })
    expect(known.find(message, 0)).toBeUndefined()
  })
})
