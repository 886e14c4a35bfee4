import { Method, OptionNumber, blockOption } from '@breakwater/coap'
import { Seconds } from '@breakwater/core'
import { mitigatePath } from '@breakwater/dots'
import { expect } from 'vitest'
import { CUID, mid } from '../../packages/dots/test/server/server-bed.ts'
import { by, target } from './client-attack.ts'
import type { ClientAttack } from './client-attack.ts'

/** Block-wise transfers (RFC 7959). */
export const blocks: readonly ClientAttack[] = [
  by(
    'block of size 7 over UDP',
    'a transfer by rules that hold for TCP only',
    'RFC 7959 §2.2; RFC 8323 §6',
    '4.00 or 4.02',
    { none: 'answered below the counting of requests' },
    (world) => {
      for (const number of [OptionNumber.block1, OptionNumber.block2]) {
        const bad = { number, value: Uint8Array.of(0x0f) }
        const path = [...mitigatePath(CUID, mid(1)), bad]
        expect(world.codes(world.attacker.request(Method.put, path, new Uint8Array(16), true))[0]).toMatch(
          /^4\.0[02]$/
        )
      }
      expect(world.plans()).toEqual(['honest/1'])
    }
  ),
  by(
    'bodies that are never whole',
    'memory for a thousand half requests',
    'RFC 7959 §5, §7',
    '2.31; a few are held, and not for long',
    { none: 'nothing came to be a request' },
    (world) => {
      for (let index = 0; index < 1000; index++) {
        const block = blockOption(OptionNumber.block1, { number: 0, more: true, sizeExponent: 6 })
        world.attacker.request(Method.put, [...mitigatePath(CUID, mid(index)), block], new Uint8Array(1024))
      }
      world.bed.advance(Seconds(300))
      expect(world.plans()).toEqual(['honest/1'])
    }
  ),
  by(
    'body without end',
    'memory, block after block',
    'RFC 7959 §2.5, §2.9.3',
    '4.13',
    { none: 'nothing came to be a request' },
    (world) => {
      const codes: string[] = []
      for (let number = 0; number < 200 && !codes.includes('4.13'); number++) {
        const block = blockOption(OptionNumber.block1, { number, more: true, sizeExponent: 6 })
        const options = [...mitigatePath(CUID, mid(1)), block]
        codes.push(...world.codes(world.attacker.request(Method.put, options, new Uint8Array(1024))))
      }
      expect(codes.at(-1)).toBe('4.13')
      expect(codes.length).toBeLessThan(100)
    }
  ),
  by(
    'block out of the blue',
    'a body with a hole',
    'RFC 7959 §2.9.2',
    '4.08',
    { none: 'nothing came to be a request' },
    (world) => {
      for (const number of [1, 7, 1_048_575]) {
        const block = blockOption(OptionNumber.block1, { number, more: false, sizeExponent: 6 })
        const options = [...mitigatePath(CUID, mid(1)), block]
        expect(world.codes(world.attacker.request(Method.put, options, new Uint8Array(64)))[0]).toMatch(
          /^4\.(?:08|13)$/
        )
      }
    }
  ),
  by(
    'block beyond the end',
    'bytes from beyond the body',
    'RFC 7959 §2.4',
    '4.00',
    { none: 'answered below the counting of requests' },
    (world) => {
      world.attacker.put(1, target('192.0.2.1/32'))
      for (const number of [5, 1000, 1_048_575]) {
        const block = blockOption(OptionNumber.block2, { number, more: false, sizeExponent: 6 })
        expect(world.codes(world.attacker.get(1, [block]))[0]).toMatch(/^4\.0[008]$/)
      }
    }
  )
]
