import { equalPrefixes, ipv6, prefixContainsAddress, prefixOf } from '@breakwater/core'
import type { IpPrefix } from '@breakwater/core'
import type { LocalAddress } from '../../domain/local-address.ts'
import { PolicyTable } from './policy-table.ts'
import type { PolicyRow } from '../../domain/selection-settings.ts'

const UNIQUE_LOCAL = prefixOf(ipv6(0xfc000000, 0, 0, 0), 7)
const SIX_TO_FOUR = prefixOf(ipv6(0x20020000, 0, 0, 0), 16)

/** Both kinds have site prefixes of this length (RFC 4193 §3.1, RFC 3056 §2). */
const SITE_PREFIX_BITS = 48

/** RFC 6724 §10.6 and §10.7: above all other destinations but the host itself. */
const PRECEDENCE = 45
const FIRST_LABEL = 14

/**
 * The table with a row for each unique local and each native 6to4 prefix that this host has addresses of, so that it
 * prefers these within its site (RFC 6724 §2.1). A prefix that has a row keeps it as it is.
 */
export function withAutomaticRows(table: PolicyTable, locals: readonly LocalAddress[]): PolicyTable {
  const rows: PolicyRow[] = [...table.rows]
  for (const prefix of sitePrefixes(locals))
    if (!rows.some((row) => equalPrefixes(row.prefix, prefix)))
      rows.push({ prefix, precedence: PRECEDENCE, label: freeLabel(rows) })
  return rows.length === table.rows.length ? table : new PolicyTable(rows)
}

function sitePrefixes(locals: readonly LocalAddress[]): IpPrefix[] {
  return locals.filter(isOfSite).map(({ address }) => prefixOf(address, SITE_PREFIX_BITS))
}

function isOfSite({ address, interface: via }: LocalAddress): boolean {
  if (prefixContainsAddress(UNIQUE_LOCAL, address)) return true
  return via.isEncapsulating !== true && prefixContainsAddress(SIX_TO_FOUR, address)
}

/** One that no row has: two site prefixes are not each other's. */
function freeLabel(rows: readonly PolicyRow[]): number {
  let label = FIRST_LABEL
  while (rows.some((row) => row.label === label)) label++
  return label
}
