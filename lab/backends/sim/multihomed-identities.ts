import { WallTime } from '@breakwater/core'
import { type Cuid, parseCuid } from '@breakwater/dots'
import { simulatedCertificate } from '@breakwater/testing'

/** The last moment of every certificate; the world begins in 2026. */
export const NOT_AFTER = WallTime(Date.UTC(2028, 0))

/** Of an authority for each provider, which certifies its servers and its customers. */
export function certificateOf(provider: string, name: string): ReturnType<typeof simulatedCertificate> {
  return simulatedCertificate({ authority: provider, subject: name, dnsNames: [name], notAfter: NOT_AFTER })
}

/** What a provider knows a client by. */
export function clientName(client: string, provider: string): string {
  return `${client}.${provider}.example`
}

export function cuidOf(client: string, provider: string): Cuid {
  const cuid = parseCuid(`${client}-at-${provider}`)
  if (cuid === undefined) throw new RangeError(`${client} at ${provider} has no cuid`)
  return cuid
}
