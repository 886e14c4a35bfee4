import { Seconds } from '@breakwater/core'
import { describe, expect, test } from 'vitest'
import { Lockstep } from '../lockstep.ts'

const draw = 0x0100_aaaa
const token = '(0100aaaa)'

/** A client with an observation as exchange 1, at sequence number 10. */
function observing(confirmable = true): Lockstep {
  const client = new Lockstep({ draw })
  client.get(1, 'x', { observe: 0, confirmable })
  const type = confirmable ? 'ACK [0100]' : 'NON [0001]'
  expect(client.receive(`${type} 2.05 ${token} Observe=10 "10"`)).toEqual(['response 1 2.05 "10"'])
  return client
}

describe('an observation', () => {
  test('takes notifications of either type, and acknowledges Confirmable ones', () => {
    const client = observing()
    expect(client.receive(`NON [7001] 2.05 ${token} Observe=11 "11"`)).toEqual(['response 1 2.05 "11"'])
    expect(client.receive(`CON [7002] 2.05 ${token} Observe=12 "12"`)).toEqual([
      '> ACK [7002]',
      'response 1 2.05 "12"'
    ])
  })

  test('a notification that was overtaken is acknowledged and not handed up [RFC7641-3.4-M01]', () => {
    const client = observing()
    client.receive(`NON [7001] 2.05 ${token} Observe=12 "12"`)
    expect(client.receive(`CON [7002] 2.05 ${token} Observe=11 "11"`)).toEqual(['> ACK [7002]'])
    expect(client.receive(`NON [7003] 2.05 ${token} Observe=11 "11"`)).toEqual([])
    client.advance(Seconds(129))
    expect(client.receive(`NON [7004] 2.05 ${token} Observe=11 "11"`)).toEqual(['response 1 2.05 "11"'])
  })

  test('ends with a notification that is an error', () => {
    const client = observing()
    expect(client.receive(`CON [7001] 4.04 ${token}`)).toEqual(['> ACK [7001]', 'response 1 4.04 final'])
    expect(client.receive(`CON [7002] 2.05 ${token} Observe=12`)).toEqual(['> RST [7002]'])
  })

  test('ends with a response without the Observe option', () => {
    const client = observing()
    expect(client.receive(`NON [7001] 2.05 ${token} "last"`)).toEqual(['response 1 2.05 "last" final'])
  })

  test('never begins where the server does not want to be observed', () => {
    const client = new Lockstep({ draw })
    client.get(1, 'x', { observe: 0 })
    expect(client.receive(`ACK [0100] 2.05 ${token} "x"`)).toEqual(['response 1 2.05 "x" final'])
  })

  test('never begins where the client did not ask for it', () => {
    const client = new Lockstep({ draw })
    client.get(1, 'x')
    expect(client.receive(`ACK [0100] 2.05 ${token} Observe=3 "x"`)).toEqual(['response 1 2.05 "x" final'])
  })

  test('that is forgotten: the next notification is reset, not acknowledged [RFC7641-3.5-M01] [RFC7641-3.5-O01]', () => {
    const client = observing()
    client.cancel(1)
    expect(client.receive(`CON [7001] 2.05 ${token} Observe=11`)).toEqual(['> RST [7001]'])
    expect(client.receive(`NON [7002] 2.05 ${token} Observe=12`)).toEqual(['> RST [7002]'])
  })

  test('can be renewed with the same token and options, in a message of the same type [RFC7641-3.3.1-O02] [RFC7641-3.3.1-M02]', () => {
    const client = observing()
    expect(client.repeat(1)).toEqual([`> CON [0101] GET ${token} /x Observe=0`])
    expect(client.receive(`ACK [0101] 2.05 ${token} Observe=11 "11"`)).toEqual(['response 1 2.05 "11"'])
    expect(client.session.nextTimeout()).toBeUndefined()
    const casual = observing(false)
    expect(casual.repeat(1)).toEqual([`> NON [0101] GET ${token} /x Observe=0`])
  })

  test('fails when a renewal is never acknowledged', () => {
    const client = observing()
    client.repeat(1)
    expect(client.advance(Seconds(100)).at(-1)).toBe('failed 1 timeout')
  })

  test('a late Reset of its registration means nothing, one of its renewal ends it', () => {
    const client = observing(false)
    expect(client.receive('RST [0100]')).toEqual([])
    client.repeat(1)
    expect(client.receive('RST [0101]')).toEqual(['failed 1 reset'])
  })
})
