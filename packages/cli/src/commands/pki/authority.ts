import { webcrypto } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as x509Module from '@peculiar/x509'
import { ConfigError } from '@breakwater/core'

/** P-256 with SHA-256: what every DTLS stack takes (RFC 9325 §4.2). */
export const signatureAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

type X509 = typeof x509Module

/** Loads the certificate library: slow to load, so only here, and unusable before its polyfill. */
export async function loadX509(): Promise<X509> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto)
  return x509
}

/** A new P-256 key pair that can be written to a file. */
export function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(signatureAlgorithm, true, ['sign', 'verify'])
}

/** PEM of a private key (PKCS #8). */
export async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END PRIVATE KEY-----\n`
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets, unpredictable. */
export function randomSerial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

/** Writes a new file; one that exists is never overwritten, because a lost key cannot be made again. */
export function writeNew(path: string, text: string, mode: number): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw new ConfigError('PKI_FILE_EXISTS', `${path} exists already and is not overwritten`, [], {
        cause: error
      })
    throw new ConfigError('PKI_FILE_UNUSABLE', `${path} cannot be written: ${String(error)}`, [], {
      cause: error
    })
  }
}

/** Paths of the authority's own files. */
export function authorityFiles(folder: string): { readonly certificate: string; readonly key: string } {
  return { certificate: join(folder, 'ca.crt'), key: join(folder, 'ca.key') }
}

/** Makes the folder of an authority, unless it is there. The folder above must be there. */
export function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (cause) {
    throw new ConfigError('PKI_FILE_UNUSABLE', `cannot make the folder ${folder}: ${String(cause)}`, [], {
      cause
    })
  }
}

/** Reads a file of the authority, or says what to do first. */
export function readAuthorityFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const message = `${path} cannot be read: run "dots pki init" first, or name its folder with --dir`
    throw new ConfigError('PKI_AUTHORITY_MISSING', message, [], { cause: error })
  }
}
