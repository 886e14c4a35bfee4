import { createHash } from 'node:crypto'
import { encodeUtf8 } from '@breakwater/core'
import { seededEntropy } from '@breakwater/testing'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cuidOf, randomCuid } from '../../src/client/cuid.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

describe('cuid', () => {
  it('is the first half of the SHA-256 of the key in base64url, 22 characters [RFC9132-4.4.1.1-S01] [RFC9132-4.4.1.1-S03]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (subjectPublicKeyInfo) => {
        const digest = createHash('sha256').update(subjectPublicKeyInfo).digest().subarray(0, 16)
        const cuid = cuidOf({ kind: 'certificate', subjectPublicKeyInfo }, sha256)
        expect(cuid).toBe(digest.toString('base64url'))
        expect(cuid).toHaveLength(22)
      })
    )
  })

  it('of a pre-shared key comes from its identity and stays the same [RFC9132-4.4.1.1-S02]', () => {
    const cuid = cuidOf({ kind: 'psk', identity: 'site-1' }, sha256)
    expect(cuid).toBe(Buffer.from(sha256(encodeUtf8('site-1')).subarray(0, 16)).toString('base64url'))
    expect(cuidOf({ kind: 'psk', identity: 'site-1' }, sha256)).toBe(cuid)
    expect(cuidOf({ kind: 'psk', identity: 'site-2' }, sha256)).not.toBe(cuid)
  })

  it('by chance has the same form', () => {
    expect(randomCuid(seededEntropy(1))).toMatch(/^[A-Za-z0-9_-]{22}$/)
  })

  it('refuses a digest that is no SHA-256', () => {
    expect(() => cuidOf({ kind: 'psk', identity: 'x' }, () => new Uint8Array(20))).toThrow(/32 bytes/)
  })
})
