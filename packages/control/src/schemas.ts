import type * as Commands from './commands.ts'
import type * as Decisions from './decisions.ts'
import type * as Domains from './domains.ts'

/**
 * The schemas of the contract, for those who check with them. Loading them takes a tenth of a second: commands that live
 * for two tenths do without.
 */
export async function loadControlSchemas(): Promise<typeof Commands & typeof Decisions & typeof Domains> {
  return {
    ...(await import('./commands.ts')),
    ...(await import('./decisions.ts')),
    ...(await import('./domains.ts'))
  }
}
