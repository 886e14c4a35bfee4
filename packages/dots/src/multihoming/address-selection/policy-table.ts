import { ConfigError, equalPrefixes, formatIpPrefix, prefixContainsAddress, prefixOf } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import type { PolicyRow } from '../../domain/selection-settings.ts'
import { MAPPED_BITS, asMapped } from './mapped-address.ts'
import { SCOPE, scopeOf } from './scope.ts'

/** What the table says of an address. */
export interface AddressPolicy {
  readonly precedence: number
  /** Undefined: no row matches. */
  readonly label: number | undefined
}

/** What no row matches comes last, and goes with what no row matches either. */
const UNMATCHED: AddressPolicy = { precedence: 0, label: undefined }

/** The policy table of RFC 6724 §2.1: the longest matching prefix decides. */
export class PolicyTable {
  /** IPv6 prefixes, the longest first; of the same prefix those for one zone before the one for all. */
  readonly rows: readonly PolicyRow[]

  /** @throws ConfigError `DOTS_POLICY_TABLE_INVALID` for rows that `policyProblems` has something against. */
  constructor(rows: readonly PolicyRow[]) {
    const problems = policyProblems(rows).map(({ row, message }) => ({ path: `row ${row}`, message }))
    if (problems.length > 0)
      throw new ConfigError('DOTS_POLICY_TABLE_INVALID', 'the policy table is unusable', problems)
    const mapped = rows.map((row) => ({ ...row, prefix: mappedPrefix(row.prefix) }))
    this.rows = mapped.toSorted(
      (x, y) =>
        y.prefix.length - x.prefix.length || Number(x.zone === undefined) - Number(y.zone === undefined)
    )
  }

  /** Precedence(A) and Label(A). */
  lookUp(address: IpAddress, zone?: string): AddressPolicy {
    const wanted = asMapped(address)
    const matches = (row: PolicyRow): boolean =>
      (row.zone === undefined || row.zone === zone) && prefixContainsAddress(row.prefix, wanted)
    return this.rows.find(matches) ?? UNMATCHED
  }
}

/** What is wrong with the rows of a table; `row` counts from 0. */
export interface PolicyProblem {
  readonly row: number
  readonly message: string
}

/** Everything that is wrong with the rows of a table; empty: nothing. */
export function policyProblems(rows: readonly PolicyRow[]): PolicyProblem[] {
  return rows.flatMap((each, row) => {
    const message = problemOf(each, rows.slice(0, row))
    return message === undefined ? [] : [{ row, message }]
  })
}

function problemOf(row: PolicyRow, before: readonly PolicyRow[]): string | undefined {
  const prefix = mappedPrefix(row.prefix)
  const isSame = (other: PolicyRow): boolean =>
    other.zone === row.zone && equalPrefixes(mappedPrefix(other.prefix), prefix)
  if (before.some(isSame)) return `two rows of the policy table are about ${formatIpPrefix(row.prefix)}`
  // RFC 6724 §2.1: of addresses that mean the same everywhere there are no zones.
  if (row.zone !== undefined && scopeOf(prefix.address) === SCOPE.global)
    return `${formatIpPrefix(row.prefix)} is of global scope and has no zone`
  return undefined
}

/** RFC 6724 §3.2. */
function mappedPrefix({ address, length }: IpPrefix): IpPrefix {
  return prefixOf(asMapped(address), address.family === 4 ? MAPPED_BITS + length : length)
}
