import type { LocalAddress } from '../../domain/local-address.ts'
import type { SelectionSettings } from '../../domain/selection-settings.ts'
import { withAutomaticRows } from './automatic-rows.ts'
import { DEFAULT_POLICY } from './default-policy.ts'
import { PolicyTable } from './policy-table.ts'
import type { SelectionContext } from './selection-context.ts'

/**
 * What selection among these addresses goes by, as the administrator wants it (RFC 6724 §2).
 * @throws ConfigError `DOTS_POLICY_TABLE_INVALID`; see `policyProblems`.
 */
export function selectionContext(
  locals: readonly LocalAddress[],
  { policy, automaticRows = true, prefersPublic = false }: SelectionSettings = {}
): SelectionContext {
  const table = policy === undefined ? DEFAULT_POLICY : new PolicyTable(policy)
  return {
    locals,
    policy: automaticRows ? withAutomaticRows(table, locals) : table,
    preferences: { prefersPublic }
  }
}
