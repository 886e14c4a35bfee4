import { InternalError } from '@breakwater/core'
import type { CertificateCredentials, PskCredentials } from '@breakwater/core'
import { parseKeyText } from './file-format.ts'
import type { ConfigFiles } from './file-format.ts'

interface CertificateFiles {
  readonly certificate: string
  readonly privateKey: string
  readonly trustAnchors: string
}

interface KeyFile {
  readonly pskIdentity: string
  readonly keyFile: string
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
    trustAnchors: files.text(paths.trustAnchors)
  }
}

/** What a client shows to the servers of one domain. */
export function clientCredentialsOf(
  credentials: CertificateFiles | KeyFile,
  files: ConfigFiles
): CertificateCredentials | PskCredentials {
  if ('certificate' in credentials) return certificateCredentialsOf(credentials, files)
  return { kind: 'psk', identity: credentials.pskIdentity, key: keyOf(credentials.keyFile, files) }
}

/** The key of a file that was checked. */
export function keyOf(keyFile: string, files: ConfigFiles): Uint8Array {
  const key = parseKeyText(files.text(keyFile))
  if (key === undefined)
    throw new InternalError('CONFIG_UNCHECKED', `${keyFile} passed the check of the configuration`)
  return key
}
