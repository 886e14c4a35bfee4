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

  it.each([
    [2 ** 31, 0],
    [2 ** 31 - 1, 604_800],
    [300, 300]
  ])('of a time to live of %i seconds, %i are believed', (ttl, believed) => {
    const record = response(0, { type: 'A', name: 'a.example', ttl, data: '192.0.2.9' })
    expect(answerOfPackets('a.example', [record, response(0)])).toMatchObject({ ttlSeconds: believed })
  })

  it('that there is nothing holds as long as the zone says (RFC 2308 §5)', () => {
    const data = { mname: 'a', rname: 'b', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 7 }
    const authorities = [{ type: 'SOA', name: 'example', ttl: 900, data } as const]
    const nothing = { ...response(0), authorities }
    expect(answerOfPackets('a.example', [nothing, nothing])).toMatchObject({ addresses: [], ttlSeconds: 7 })
    const noName = { ...response(3), authorities }
    expect(answerOfPackets('a.example', [noName, noName])).toEqual({ kind: 'no-such-name', ttlSeconds: 7 })
  })
})
