import { usageError } from '../../usage-error.ts'

const dayMs = 86_400_000

/** Agents whose clocks are a little behind must accept a certificate that was just issued. */
const backdatedMs = 3_600_000

/** A distinguished name with a common name only. */
export function commonName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/.test(text))
    throw usageError(
      `${JSON.stringify(text)} is no name: 1 to 64 letters, digits, blanks, dots, hyphens, underscores`
    )
  return `CN=${text}`
}

/** A name that is a file name, too. */
export function fileName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text))
    throw usageError(
      `${JSON.stringify(text)} is no name: 1 to 64 letters, digits, dots, hyphens, underscores`
    )
  return text
}

/** A DNS-ID. RFC 9132 §7.1: without wildcards. */
export function dnsName(text: string): string {
  const label = '[a-z0-9_](?:[a-z0-9-]{0,61}[a-z0-9])?'
  if (text.length > 253 || !new RegExp(`^${label}(?:\\.${label})*$`, 'i').test(text))
    throw usageError(`${JSON.stringify(text)} is no DNS name`)
  return text.toLowerCase()
}

export function parseDays(text: string): number {
  const days = Number(text)
  if (!/^\d{1,5}$/.test(text) || days < 1 || days > 36_500)
    throw usageError(`${JSON.stringify(text)} is no number of days from 1 to 36500`)
  return days
}

/** From a little before now until so many days from now. */
export function validity(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - backdatedMs), notAfter: new Date(now + days * dayMs) }
}
