import type * as Contract from './contract.ts'

/**
 * The schemas of the contract, for those who check with them. Loading them takes a tenth of a second: commands that live
 * for two tenths do without.
 */
export function loadControlSchemas(): Promise<typeof Contract> {
  return import('./contract.ts')
}
