import { ipv6, prefixOf } from '@breakwater/core'
import type { PolicyRow } from '../../domain/selection-settings.ts'
import { PolicyTable } from './policy-table.ts'

/** The rows that hold where nobody configured others (RFC 6724 §2.1). */
export const DEFAULT_POLICY_ROWS: readonly PolicyRow[] = [
  { prefix: prefixOf(ipv6(0, 0, 0, 1), 128), precedence: 50, label: 0 },
  { prefix: prefixOf(ipv6(0, 0, 0, 0), 0), precedence: 40, label: 1 },
  { prefix: prefixOf(ipv6(0, 0, 0xffff, 0), 96), precedence: 35, label: 4 },
  // 6to4
  { prefix: prefixOf(ipv6(0x20020000, 0, 0, 0), 16), precedence: 30, label: 2 },
  // Teredo
  { prefix: prefixOf(ipv6(0x20010000, 0, 0, 0), 32), precedence: 5, label: 5 },
  // Unique local addresses
  { prefix: prefixOf(ipv6(0xfc000000, 0, 0, 0), 7), precedence: 3, label: 13 },
  // IPv4-compatible addresses
  { prefix: prefixOf(ipv6(0, 0, 0, 0), 96), precedence: 1, label: 3 },
  // Site-local addresses
  { prefix: prefixOf(ipv6(0xfec00000, 0, 0, 0), 10), precedence: 1, label: 11 },
  // 6bone
  { prefix: prefixOf(ipv6(0x3ffe0000, 0, 0, 0), 16), precedence: 1, label: 12 }
]

/** The table that holds where nobody configured another. */
export const DEFAULT_POLICY: PolicyTable = new PolicyTable(DEFAULT_POLICY_ROWS)
