import { ConfigError, WallTime } from '@breakwater/core'
import type { CertificateCredentials, PeerIdentity } from '@breakwater/core'
import { simulatedDigest } from './digest.ts'

export interface SimulatedCertificateOptions {
  /** Who signed it. */
  readonly authority: string
  /** The common name, for people. */
  readonly subject: string
  readonly dnsNames: readonly string[]
  /** Authorities that the holder trusts. Default: its own. */
  readonly trusts?: readonly string[]
  /** From then on nobody accepts it. Default: never. */
  readonly notAfter?: WallTime
}

/** What a stand-in certificate says. */
export interface SimulatedCertificate {
  readonly authority: string
  readonly subject: string
  readonly dnsNames: readonly string[]
  readonly publicKey: string
  readonly notAfter: WallTime | undefined
}

/**
 * Credentials for simulated endpoints. The PEM texts are readable stand-ins: who signed, for whom, which key. Nobody
 * forges in the simulation, so a signature is the name of the authority.
 */
export function simulatedCertificate(options: SimulatedCertificateOptions): CertificateCredentials {
  const { authority, subject, dnsNames, trusts = [authority], notAfter } = options
  const secret = simulatedDigest(`key of ${subject} at ${authority} for ${dnsNames.join(' ')}`)
  return {
    kind: 'certificate',
    certificate: pem('CERTIFICATE', [
      `authority: ${authority}`,
      `subject: ${subject}`,
      ...dnsNames.map((name) => `dns: ${name}`),
      `key: ${publicKeyOf(secret)}`,
      ...(notAfter === undefined ? [] : [`not after: ${notAfter}`])
    ]),
    privateKey: pem('PRIVATE KEY', [`secret: ${secret}`]),
    trustAnchors: trusts.map((trusted) => pem('TRUST ANCHOR', [`authority: ${trusted}`])).join('')
  }
}

/** Credentials that were read at opening. */
export interface UsableCredentials {
  readonly pem: string
  readonly trusted: ReadonlySet<string>
}

/** Reads credentials as an endpoint does when it opens; throws a ConfigError on the first thing that is unusable. */
export function readCredentials(credentials: CertificateCredentials): UsableCredentials {
  const certificate = parseCertificate(credentials.certificate)
  if (certificate === undefined) throw unusable('certificate', 'is no simulated certificate')
  const [secret] = valuesOf('PRIVATE KEY', 'secret', credentials.privateKey)
  if (secret === undefined) throw unusable('privateKey', 'is no simulated private key')
  if (publicKeyOf(secret) !== certificate.publicKey)
    throw unusable('privateKey', 'does not belong to the certificate')
  // A list that nobody reads would let the revoked in.
  if (credentials.crl !== undefined) throw unusable('crl', 'is not known to the simulation')
  const trusted = new Set(valuesOf('TRUST ANCHOR', 'authority', credentials.trustAnchors))
  if (trusted.size === 0) throw unusable('trustAnchors', 'has no simulated trust anchor')
  return { pem: credentials.certificate, trusted }
}

/** What a certificate says; undefined when the text is none. */
export function parseCertificate(text: string): SimulatedCertificate | undefined {
  const [authority] = valuesOf('CERTIFICATE', 'authority', text)
  const [subject] = valuesOf('CERTIFICATE', 'subject', text)
  const [publicKey] = valuesOf('CERTIFICATE', 'key', text)
  if (authority === undefined || subject === undefined || publicKey === undefined) return undefined
  const dnsNames = valuesOf('CERTIFICATE', 'dns', text).map((name) => name.toLowerCase())
  const [notAfter] = valuesOf('CERTIFICATE', 'not after', text)
  return {
    authority,
    subject,
    dnsNames,
    publicKey,
    notAfter: notAfter === undefined ? undefined : WallTime(Number(notAfter))
  }
}

export function identityOf(certificate: SimulatedCertificate): PeerIdentity {
  const { dnsNames, subject, publicKey } = certificate
  return { kind: 'certificate', dnsNames, subject, spkiSha256: publicKey }
}

function publicKeyOf(secret: string): string {
  return simulatedDigest(`public half of ${secret}`)
}

function pem(label: string, lines: readonly string[]): string {
  return [`-----BEGIN SIMULATED ${label}-----`, ...lines, `-----END SIMULATED ${label}-----`, ''].join('\n')
}

/** The values of all lines `name: value` in the blocks with this label. */
function valuesOf(label: string, name: string, text: string): string[] {
  const values: string[] = []
  let inside = false
  for (const line of text.split('\n')) {
    if (line === `-----BEGIN SIMULATED ${label}-----`) inside = true
    else if (line === `-----END SIMULATED ${label}-----`) inside = false
    else if (inside && line.startsWith(`${name}: `)) values.push(line.slice(name.length + 2))
  }
  return values
}

function unusable(path: string, message: string): ConfigError {
  const text = `${path} ${message}`
  return new ConfigError('TESTING_CREDENTIALS_UNUSABLE', text, [{ path, message: text }])
}
