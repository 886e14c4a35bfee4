import { createPrivateKey, X509Certificate } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { DecodeError, fromHex } from '@breakwater/core'
import type { OptionFormat } from './option.ts'
import type { FormatCheck } from './text-format.ts'

/** No certificate or key file is longer; a device file or a disk image is not read to its end. */
const longestFileBytes = 1_048_576

const shortestKeyBytes = 16
const longestKeyBytes = 64

/** A file as it was when the configuration was read, or why it cannot be read. */
type FileView =
  | { readonly kind: 'text'; readonly text: string; readonly mode: number }
  | { readonly kind: 'fault'; readonly fault: string }

/**
 * The files that a configuration names, each read once: what was checked is what is used. Relative paths start at the
 * folder of the configuration file.
 */
export class ConfigFiles {
  readonly #folder: string
  readonly #views = new Map<string, FileView>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The absolute path of a path of the configuration. */
  absolute(path: string): string {
    return resolve(this.#folder, path)
  }

  /** The text of a file that was found readable. */
  text(path: string): string {
    const view = this.#view(path)
    return view.kind === 'text' ? view.text : ''
  }

  /** The formats that need a look at the file. */
  formats(): Readonly<Partial<Record<OptionFormat, FormatCheck>>> {
    return {
      'certificate-file': (path) => this.#check(path, certificateFault),
      'trust-anchors-file': (path) => this.#check(path, certificateFault),
      'revocation-lists-file': (path) => this.#check(path, revocationListsFault),
      'private-key-file': (path) => this.#checkSecret(path, privateKeyFault),
      'psk-file': (path) => this.#checkSecret(path, pskFault),
      'socket-path': (path) => (path === '' ? 'must not be empty' : socketPathFault(this.absolute(path)))
    }
  }

  #check(path: string, faultOf: (text: string) => string | undefined): string | undefined {
    if (path === '') return 'must not be empty'
    const view = this.#view(path)
    if (view.kind === 'fault') return `${this.absolute(path)} ${view.fault}`
    const fault = faultOf(view.text)
    return fault === undefined ? undefined : `${this.absolute(path)} ${fault}`
  }

  #checkSecret(path: string, faultOf: (text: string) => string | undefined): string | undefined {
    const faults = [this.#check(path, faultOf), this.#modeFault(path)].filter((fault) => fault !== undefined)
    return faults.length === 0 ? undefined : faults.join('; ')
  }

  #modeFault(path: string): string | undefined {
    const view = this.#view(path)
    // Reading by the group is left to the operator: a service account often gets its keys that way.
    if (view.kind === 'fault' || (view.mode & 0o027) === 0) return undefined
    const mode = (view.mode & 0o777).toString(8).padStart(4, '0')
    return `${this.absolute(path)} is open to others (mode ${mode}): chmod 600 it`
  }

  #view(path: string): FileView {
    const absolute = this.absolute(path)
    const known = this.#views.get(absolute)
    if (known !== undefined) return known
    const view = readView(absolute)
    this.#views.set(absolute, view)
    return view
  }
}

function readView(path: string): FileView {
  let descriptor: number | undefined
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const status = fstatSync(descriptor)
    if (!status.isFile()) return { kind: 'fault', fault: 'is not a file' }
    if (status.size > longestFileBytes)
      return { kind: 'fault', fault: `is longer than ${longestFileBytes} bytes` }
    return { kind: 'text', text: readFileSync(descriptor, 'utf8'), mode: status.mode }
  } catch (error) {
    return { kind: 'fault', fault: `cannot be read: ${reasonOf(error)}` }
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'it does not exist'
  if (code === 'EACCES') return 'permission denied'
  return error instanceof Error ? error.message : String(error)
}

/** Linux: sun_path holds 108 bytes with the closing zero. */
const longestSocketPath = 107

function socketPathFault(path: string): string | undefined {
  return Buffer.byteLength(path) > longestSocketPath
    ? `${path} is longer than the ${longestSocketPath} bytes that a UNIX socket's path may have`
    : undefined
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

function certificateFault(text: string): string | undefined {
  const blocks = text.match(pemCertificate) ?? []
  if (blocks.length === 0) return 'holds no PEM certificate'
  for (const [index, block] of blocks.entries()) {
    try {
      void new X509Certificate(block)
    } catch {
      return `holds a certificate that cannot be parsed (number ${index + 1})`
    }
  }
  return undefined
}

function revocationListsFault(text: string): string | undefined {
  return text.includes('-----BEGIN X509 CRL-----') ? undefined : 'holds no PEM certificate revocation list'
}

function privateKeyFault(text: string): string | undefined {
  if (text.includes('ENCRYPTED'))
    return 'holds an encrypted key, which an agent that starts by itself cannot open'
  try {
    createPrivateKey(text)
    return undefined
  } catch {
    return 'holds no PEM private key'
  }
}

function pskFault(text: string): string | undefined {
  const key = parseKeyText(text)
  if (key === undefined) return 'must hold the key in hexadecimal digits, and nothing else'
  if (key.length < shortestKeyBytes)
    return `holds a key of ${key.length} bytes; at least ${shortestKeyBytes} are needed`
  if (key.length > longestKeyBytes)
    return `holds a key of ${key.length} bytes; at most ${longestKeyBytes} are taken`
  return undefined
}

/** Whether a private key belongs to the first certificate of a file; undefined when one of them is unusable. */
export function keyMatches(certificatePem: string, privateKeyPem: string): boolean | undefined {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem))
  } catch {
    return undefined
  }
}

/** When the first certificate of a file ends, in milliseconds since 1970; undefined when it cannot be parsed. */
export function certificateEnd(certificatePem: string): number | undefined {
  try {
    return new X509Certificate(certificatePem).validToDate.getTime()
  } catch {
    return undefined
  }
}

/** The bytes of a key file: hexadecimal digits, with blanks around them at most. */
export function parseKeyText(text: string): Uint8Array | undefined {
  try {
    return fromHex(text.trim())
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
