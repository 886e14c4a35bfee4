import type { Alias } from '../domain/alias.ts'
import type { Site } from '../domain/site.ts'
import type { SiteProblem } from './check-site.ts'

/** What can be wrong with an alias. */
export type AliasProblemCode = 'ALIAS_DUPLICATE' | 'ALIAS_EMPTY' | 'ALIAS_PORTS_REVERSED'

/** Everything that is wrong with the aliases of a site. Whether it may protect what they stand for is asked when it is to. */
export function aliasProblems({ aliases = [] }: Site): SiteProblem[] {
  return aliases.flatMap((alias, index) => [
    ...(aliases.findIndex(({ name }) => name === alias.name) < index
      ? [problem('ALIAS_DUPLICATE', alias, `two aliases are called ${alias.name}`)]
      : []),
    ...(isEmpty(alias) ? [problem('ALIAS_EMPTY', alias, `alias ${alias.name} stands for nothing`)] : []),
    ...alias.target.ports
      .filter(({ lower, upper }) => lower > upper)
      .map(({ lower, upper }) => {
        const text = `ports ${lower}-${upper} of alias ${alias.name} are no range: the lower one comes first`
        return problem('ALIAS_PORTS_REVERSED', alias, text)
      })
  ])
}

function isEmpty({ target: { prefixes, names, uris } }: Alias): boolean {
  return prefixes.length + names.length + uris.length === 0
}

function problem(code: AliasProblemCode, { name }: Alias, message: string): SiteProblem {
  return { code, place: `alias ${name}`, message }
}
