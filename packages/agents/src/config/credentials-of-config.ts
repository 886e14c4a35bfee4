import { InternalError } from '@breakwater/core'
import type { CertificateCredentials, ClientCredentials } from '@breakwater/core'
import { parseKeyText } from './file-format.ts'
import type { ConfigFiles } from './file-format.ts'

interface CertificateFiles {
  readonly certificate: string
  readonly privateKey: string
  readonly trustAnchors: string
  readonly revocationLists?: string
}

interface KeyFile {
  readonly pskIdentity: string
  readonly keyFile: string
}

interface RawKeyFile {
  readonly rawPrivateKey: string
  readonly serverKeys: readonly string[]
}

/** The PEM texts of files that were checked. */
export function certificateCredentialsOf(
  paths: CertificateFiles,
  files: ConfigFiles
): CertificateCredentials {
  return {
    kind: 'certificate',
    certificate: files.text(paths.certificate),
    privateKey: files.text(paths.privateKey),
    trustAnchors: files.text(paths.trustAnchors),
    ...(paths.revocationLists === undefined ? {} : { crl: files.text(paths.revocationLists) })
  }
}

/** What a client shows to the servers of one domain. */
export function clientCredentialsOf(
  credentials: CertificateFiles | KeyFile | RawKeyFile,
  files: ConfigFiles
): ClientCredentials {
  if ('certificate' in credentials) return certificateCredentialsOf(credentials, files)
  if ('rawPrivateKey' in credentials) {
    const { rawPrivateKey, serverKeys } = credentials
    return { kind: 'raw-public-key', privateKey: files.text(rawPrivateKey), peerKeys: serverKeys }
  }
  return { kind: 'psk', identity: credentials.pskIdentity, key: keyOf(credentials.keyFile, files) }
}

/** The key of a file that was checked. */
export function keyOf(keyFile: string, files: ConfigFiles): Uint8Array {
  const key = parseKeyText(files.text(keyFile))
  if (key === undefined)
    throw new InternalError('CONFIG_UNCHECKED', `${keyFile} passed the check of the configuration`)
  return key
}
