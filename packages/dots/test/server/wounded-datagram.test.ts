import { Method, OptionNumber, encodeMessage, uintOption } from '@breakwater/coap'
import { prefixContains } from '@breakwater/core'
import { heartbeatRequest, mitigatePath } from '@breakwater/dots'
import { encodeSignal } from '@breakwater/model'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CUID, EXAMPLE, ServerBed, mid } from './server-bed.ts'

const FORMAT = uintOption(OptionNumber.contentFormat, 271)
const BODY = encodeSignal({
  mitigationScope: {
    scope: [{ targetPrefix: ['192.0.2.7/32'], targetPortRange: [{ lowerPort: 80 }], lifetime: 60 }]
  }
})
const REQUESTS = [
  { method: Method.put, options: [...mitigatePath(CUID, mid(1)), FORMAT], payload: BODY },
  {
    method: Method.get,
    options: [uintOption(OptionNumber.observe, 0), ...mitigatePath(CUID)],
    payload: new Uint8Array(0)
  },
  { method: Method.delete, options: mitigatePath(CUID, mid(1)), payload: new Uint8Array(0) },
  heartbeatRequest(true)
].map(({ method, options, payload }) =>
  encodeMessage({
    type: 'non-confirmable',
    code: method,
    messageId: 1,
    token: Uint8Array.of(7),
    options,
    payload
  })
)

describe('wounded datagrams', () => {
  it('never make the server throw, answer twice, or promise protection for what is not the client’s own', () => {
    const wound = fc.record({ at: fc.nat(200), value: fc.nat(255) })
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ request: fc.nat(3), wounds: fc.array(wound, { maxLength: 4 }), cut: fc.nat(200) }),
          {
            maxLength: 12
          }
        ),
        (datagrams) => {
          const bed = new ServerBed()
          const peer = bed.establish()
          for (const [index, { request, wounds, cut }] of datagrams.entries()) {
            const bytes = (REQUESTS[request] ?? new Uint8Array(0)).slice()
            bytes[3] = index
            for (const { at, value } of wounds) if (at < bytes.length) bytes[at] = value
            const before = bed.sent.length
            peer.send(cut < bytes.length && cut > 100 ? bytes.subarray(0, cut) : bytes)
            expect(bed.sent.length - before).toBeLessThanOrEqual(1)
          }
          const promised = bed.applyCalls.flatMap(({ target }) => target.prefixes)
          const foreign = promised.filter(
            (each) => !EXAMPLE.prefixes.some((own) => prefixContains(own, each))
          )
          expect(foreign).toEqual([])
        }
      ),
      { numRuns: 400 }
    )
  }, 20_000)

  it('random bytes are dropped and counted', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const bed = new ServerBed()
        bed.establish().send(bytes)
        expect(bed.records.size).toBe(0)
        expect(bed.sent.length).toBeLessThanOrEqual(1)
      }),
      { numRuns: 400 }
    )
  }, 20_000)
})
