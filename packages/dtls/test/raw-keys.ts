import type { RawPublicKeyCredentials } from '@breakwater/core'
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'

/** A new key for ECDSA: credentials that name no peer yet, and the digest that names this key to others. */
export interface TestRawKey {
  readonly credentials: Omit<RawPublicKeyCredentials, 'peerKeys'>
  readonly digest: string
}

/** The SHA-256 of the public half of a PEM private key, or of a certificate. */
export function digestOfKey(pem: string): string {
  const der = createPublicKey(pem).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(der).digest('hex')
}

export function newRawKey(namedCurve = 'P-256'): TestRawKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { credentials: { kind: 'raw-public-key', privateKey: pem }, digest: digestOfKey(pem) }
}
