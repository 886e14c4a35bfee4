import { UnavailableError } from '@breakwater/core'
import type { Answer, Packet } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { answerOfPackets } from '../../src/dns/answer-of-packets.ts'

function response(code: number, ...answers: Answer[]): Packet {
  return { type: 'response', flags: code, answers }
}

describe('what responses say of a name', () => {
  it('records that the name does not lead to say nothing of it', () => {
    const stray = response(0, { type: 'A', name: 'other.example', ttl: 60, data: '192.0.2.9' })
    expect(answerOfPackets('a.example', [stray, response(0)])).toMatchObject({ addresses: [] })
  })

  it('an alias that leads in a circle leads nowhere', () => {
    const circle = response(
      0,
      { type: 'CNAME', name: 'a.example', ttl: 60, data: 'b.example' },
      { type: 'CNAME', name: 'b.example', ttl: 60, data: 'a.example' }
    )
    expect(answerOfPackets('a.example', [circle, circle])).toMatchObject({ addresses: [] })
  })

  it('the shortest time to live on the way counts', () => {
    const chain = response(
      0,
      { type: 'CNAME', name: 'A.example.', ttl: 5, data: 'b.example' },
      { type: 'A', name: 'b.example', ttl: 60, data: '192.0.2.9' }
    )
    expect(answerOfPackets('a.example', [chain, response(0)])).toMatchObject({ ttlSeconds: 5 })
  })

  it.each([1, 2, 5])('a server that answers with code %i has not said that the name is not there', (code) => {
    expect(() => answerOfPackets('a.example', [response(code), response(3)])).toThrow(UnavailableError)
  })
})
