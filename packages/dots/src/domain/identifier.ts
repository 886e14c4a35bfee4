/** Name of a provisioning domain, as the operator gave it. Unique in a site. */
export type DomainName = string & { readonly __brand: 'DomainName' }

/** Name of a DOTS server of a site: `<domain>` or `<domain>/<name>`. Unique in a site. */
export type ServerName = string & { readonly __brand: 'ServerName' }

/** Name of a protection, shown to the operator. */
export type ProtectionId = string & { readonly __brand: 'ProtectionId' }

/**
 * DOTS `cuid` (RFC 9132 §4.4.1.1): 1 … 96 characters that need no escape in a URI path segment. The RFC's own have 22 and it
 * sets no limit; ours keeps the id of a mitigation's plan within what devices can remember (`PlanId`).
 */
export type Cuid = string & { readonly __brand: 'Cuid' }

/** DOTS `mid` (RFC 9132 §4.4.1.1): an unsigned 32-bit integer. CoAP's message id is something else. */
export type MitigationId = number & { readonly __brand: 'MitigationId' }

/** Takes the operator's word for it; that it is unique, `checkSite` sees to. */
export function DomainName(text: string): DomainName {
  return text as DomainName
}

/** Takes the operator's word for it; that it is unique, `checkSite` sees to. */
export function ServerName(text: string): ServerName {
  return text as ServerName
}

/** Names a protection; who names two alike replaces the first. */
export function ProtectionId(text: string): ProtectionId {
  return text as ProtectionId
}

/** A cuid if the text may be one. */
export function parseCuid(text: string): Cuid | undefined {
  return /^[A-Za-z0-9._~-]{1,96}$/.test(text) ? (text as Cuid) : undefined
}

/** A mitigation id if the number may be one. */
export function mitigationId(value: number): MitigationId | undefined {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff ? (value as MitigationId) : undefined
}
