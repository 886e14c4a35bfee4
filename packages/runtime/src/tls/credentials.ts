import { ConfigError, pskProblem, revocationListText } from '@breakwater/core'
import type { CertificateCredentials, SecureStreamOptions } from '@breakwater/core'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { SecureContextOptions } from 'node:tls'
import { secureProfile } from './profile.ts'

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

const noRawPublicKeys = 'Node has no way to show or check raw public keys over TLS'

function unusable(path: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError('TLS_CREDENTIALS_INVALID', `${path}: ${message}`, [{ path, message }], { cause })
}

function readCertificates(path: string, pem: string): readonly X509Certificate[] {
  const texts = pem.match(pemCertificate) ?? []
  // Node would take its own list of public authorities for an empty one.
  if (texts.length === 0) throw unusable(path, 'no PEM certificate')
  try {
    return texts.map((text) => new X509Certificate(text))
  } catch (error) {
    throw unusable(path, 'not a PEM certificate', error)
  }
}

function checkPrivateKey(path: string, pem: string, certificate: X509Certificate): void {
  let matches: boolean
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(pem))
  } catch (error) {
    throw unusable(path, 'not an unencrypted PEM private key', error)
  }
  if (!matches) throw unusable(path, 'does not belong to the certificate')
}

function certificateOptions(owner: string, credentials: CertificateCredentials): SecureContextOptions {
  const { certificate, privateKey, trustAnchors, crl } = credentials
  const [own] = readCertificates(`${owner}.certificate`, certificate)
  readCertificates(`${owner}.trustAnchors`, trustAnchors)
  if (own !== undefined) checkPrivateKey(`${owner}.privateKey`, privateKey, own)
  // Node would ask nobody for an empty array of lists.
  if (revocationListText(crl) === '') throw unusable(`${owner}.crl`, 'no PEM certificate revocation list')
  // With lists, OpenSSL wants a current one for every certificate below the anchor (RFC 5280 §6.3.3).
  const lists = crl === undefined ? {} : { crl: typeof crl === 'string' ? crl : [...crl] }
  return { cert: certificate, key: privateKey, ca: trustAnchors, ...lists }
}

function checkPsk(path: string, identity: string, key: Uint8Array): void {
  const problem = pskProblem(identity, key)
  if (problem !== undefined) throw unusable(path, problem)
}

function optionsOf(options: SecureStreamOptions): SecureContextOptions {
  if (options.role === 'client') {
    const { credentials } = options
    if (credentials.kind === 'raw-public-key') throw unusable('credentials', noRawPublicKeys)
    if (credentials.kind === 'psk') checkPsk('credentials', credentials.identity, credentials.key)
    return {
      ...secureProfile({
        certificate: credentials.kind === 'certificate',
        preSharedKey: credentials.kind === 'psk'
      }),
      ...(credentials.kind === 'certificate' ? certificateOptions('credentials', credentials) : {})
    }
  }
  const { certificate, preSharedKeys = new Map<string, Uint8Array>() } = options
  if (options.rawPublicKey !== undefined) throw unusable('rawPublicKey', noRawPublicKeys)
  for (const [identity, key] of preSharedKeys) checkPsk('preSharedKeys', identity, key)
  if (certificate === undefined && preSharedKeys.size === 0)
    throw unusable('credentials', 'neither a certificate nor a pre-shared key')
  return {
    ...secureProfile({ certificate: certificate !== undefined, preSharedKey: preSharedKeys.size > 0 }),
    ...(certificate === undefined ? {} : certificateOptions('certificate', certificate))
  }
}

/**
 * What Node's TLS needs to know of our credentials, proved to be usable.
 * @throws {ConfigError} `TLS_CREDENTIALS_INVALID`
 */
export function secureContextOptions(options: SecureStreamOptions): SecureContextOptions {
  const made = optionsOf(options)
  try {
    createSecureContext(made)
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw unusable(options.role === 'server' ? 'certificate' : 'credentials', text, error)
  }
  return made
}
