import type { PeerIdentity } from '@breakwater/core'
import { mitigationId, parseCuid } from '@breakwater/dots'
import type { ClientDomain, Cuid, MitigationId } from '@breakwater/dots'
import { prefix } from '@breakwater/testing'

/** Who asks in tests of the server. */

export const EXAMPLE: ClientDomain = {
  name: 'example',
  dnsNames: ['client.example.net', 'second.example.net'],
  pskIdentities: ['example-psk'],
  prefixes: [prefix('192.0.2.0/24'), prefix('2001:db8::/32')]
}
export const OTHER: ClientDomain = {
  name: 'other',
  dnsNames: ['client.other.net'],
  pskIdentities: [],
  prefixes: [prefix('198.51.100.0/24')]
}

export function certificate(...dnsNames: string[]): PeerIdentity {
  return { kind: 'certificate', dnsNames, subject: dnsNames[0] ?? '', spkiSha256: 'ab'.repeat(32) }
}

export function cuid(text: string): Cuid {
  const parsed = parseCuid(text)
  if (parsed === undefined) throw new Error(text)
  return parsed
}

export function mid(value: number): MitigationId {
  const parsed = mitigationId(value)
  if (parsed === undefined) throw new Error(String(value))
  return parsed
}
