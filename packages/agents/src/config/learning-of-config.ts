import { DomainName, LEARNT_ORIGINS } from '@breakwater/dots'
import type { LearnRule } from '@breakwater/dots'
import type { ClientConfig } from './client-config.ts'
import { present } from './draft.ts'
import type { Draft } from './draft.ts'
import type { ShapeProblem } from './shape.ts'

/** What each domain may learn; those that learn nothing are left out. */
export function learnRulesOf(config: Draft<ClientConfig>): LearnRule[] {
  return present(config.domains).flatMap(([, { name, kind, learn, interfaces, resolver }]) => {
    if (name === undefined || learn === undefined || kind === 'service') return []
    const from = learn.from === undefined ? LEARNT_ORIGINS : present(learn.from).map(([, origin]) => origin)
    const own = present(interfaces).map(([, text]) => text)
    const rule: LearnRule = {
      domain: DomainName(name),
      interfaces: learn.interface === undefined ? own : [learn.interface],
      from: new Set(from),
      prefixes: learn.prefixes ?? true,
      // Explicit configuration wins over what is learnt.
      resolvers: (learn.resolvers ?? true) && resolver === undefined
    }
    return [rule]
  })
}

/** Domains that cannot learn anything and are told to. */
export function learningProblems(config: Draft<ClientConfig>): ShapeProblem[] {
  return present(config.domains).flatMap(([index, { kind, learn }]) =>
    kind === 'service' && learn !== undefined
      ? [
          {
            path: ['domains', index, 'learn'],
            message: 'a service has no link to learn anything by',
            atKey: true
          }
        ]
      : []
  )
}

/** Interfaces by which two domains learn the same: only what names its domain can be told apart there. */
export function learningWarnings(config: ClientConfig): ShapeProblem[] {
  const rules = learnRulesOf(config)
  return rules.flatMap((rule, at) => {
    const path = ['domains', config.domains.findIndex(({ name }) => name === rule.domain), 'learn']
    if (rule.interfaces.length === 0)
      return [
        { path, message: `${rule.domain} names no interface: it learns only what names ${rule.domain}` }
      ]
    const rival = rules
      .slice(0, at)
      .find((other) => shares(other.interfaces, rule.interfaces) && shares([...other.from], [...rule.from]))
    if (rival === undefined) return []
    const message = `${rival.domain} and ${rule.domain} learn alike from one interface: only what names its domain is learnt`
    return [{ path, message }]
  })
}

function shares<Item>(some: readonly Item[], others: readonly Item[]): boolean {
  return some.some((item) => others.includes(item))
}
