import { parseIpPrefix } from '@breakwater/core'
import { normalName, parseTargetUri } from '@breakwater/dots'
import type { Alias } from '@breakwater/dots'
import type { ClientConfig } from './client-config.ts'
import { present } from './draft.ts'
import type { Draft } from './draft.ts'
import type { ConfigPath } from './shape.ts'

/** What the operator calls targets by. Notes where each of them stands. */
export function aliasesOf({ site }: Draft<ClientConfig>, places: Map<string, ConfigPath>): Alias[] {
  return present(site?.aliases).flatMap(([index, draft]) => {
    const { name } = draft
    if (name === undefined) return []
    places.set(`alias ${name}`, ['site', 'aliases', index])
    const ports = present(draft.ports).flatMap(([, { lower, upper = lower }]) =>
      lower === undefined || upper === undefined ? [] : [{ lower, upper }]
    )
    const target = {
      prefixes: present(draft.prefixes).flatMap(([, text]) => parseIpPrefix(text) ?? []),
      names: present(draft.fqdns).flatMap(([, text]) => normalName(text) ?? []),
      uris: present(draft.uris).flatMap(([, text]) => {
        const uri = parseTargetUri(text, 'uris')
        return uri.ok ? [uri.value] : []
      }),
      ports,
      protocols: present(draft.protocols).map(([, number]) => number)
    }
    return [{ name, target }]
  })
}
