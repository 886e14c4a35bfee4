import type * as Commands from './commands.ts'

/**
 * The schemas of the contract, for those who check with them. Loading them takes a tenth of a second: commands that live
 * for two tenths do without.
 */
export function loadControlSchemas(): Promise<typeof Commands> {
  return import('./commands.ts')
}
