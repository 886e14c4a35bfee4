import type { PeerIdentity } from '@breakwater/core'
import { createHash } from 'node:crypto'
import type { X509Certificate } from 'node:crypto'
import { subjectPublicKeyInfo } from './subject-public-key.ts'

/** A DNS name has printable ASCII only; anything else could read differently to two readers. */
const printable = /^[\x21-\x7e]+$/

/** RFC 1035 §2.3.4, RFC 1123 §2.1: one host, no wildcard, no suffix. */
const hostName = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/i

function dnsNamesOf(certificate: X509Certificate): string[] {
  const prefix = 'DNS:'
  // Node writes a name with a comma, a quote or a control character in it as a JSON string: the split is safe.
  return (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((entry) => entry.startsWith(prefix) && !entry.startsWith(`${prefix}"`))
    .map((entry) => entry.slice(prefix.length).toLowerCase())
    .filter((name) => printable.test(name))
}

function commonNameOf(certificate: X509Certificate): string {
  const name: string | string[] | undefined = certificate.toLegacyObject().subject?.CN
  return (Array.isArray(name) ? name[0] : name) ?? ''
}

/** Who a certificate is for; undefined when that cannot be read. The certificate must have been verified. */
export function certificateIdentity(certificate: X509Certificate): PeerIdentity | undefined {
  const key = subjectPublicKeyInfo(certificate.raw)
  if (key === undefined) return undefined
  return {
    kind: 'certificate',
    dnsNames: dnsNamesOf(certificate),
    subject: commonNameOf(certificate),
    spkiSha256: createHash('sha256').update(key).digest('hex')
  }
}

/** Whether `name` can be compared with the DNS-IDs of a certificate. */
export function namesOneHost(name: string): boolean {
  return hostName.test(name)
}

/**
 * Whether a DNS-ID of the certificate is `serverName` (RFC 9525 §6.3). The common name counts for nothing, and so does a
 * wildcard, which no DOTS server should show (RFC 9132 §7.1).
 */
export function certificateNames(certificate: X509Certificate, serverName: string): boolean {
  return (
    namesOneHost(serverName) &&
    certificate.checkHost(serverName, { subject: 'never', wildcards: false }) !== undefined
  )
}
