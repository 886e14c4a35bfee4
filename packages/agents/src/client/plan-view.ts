import { formatIpPrefix } from '@breakwater/core'
import type { Instant, IpPrefix } from '@breakwater/core'
import type { PlanView } from '@breakwater/control'
import type { ClientPlan } from '@breakwater/dots'
import { namesView } from './names-view.ts'

/** A plan as the control API shows it. */
export function planView(plan: ClientPlan, now: Instant): PlanView {
  const { verdict, parts, refusals, uncovered, waiting, translated, warnings, preconfigured } = plan
  return {
    verdict,
    names: namesView(plan.names, now),
    parts: parts.map((part) => ({
      prefixes: texts(part.prefixes),
      class: part.classText,
      asked: part.asked.map((decision) => ({ ...decision })),
      consents: part.consents.flatMap(({ server, consents }) =>
        consents.map(({ name, of, givenBy, until }) => {
          return { name, server, of, givenBy, until: new Date(until).toISOString() }
        })
      ),
      ...(part.deviation === undefined ? {} : { deviation: { ...part.deviation } }),
      notAsked: part.notAsked.map((decision) => ({ ...decision }))
    })),
    refusals: refusals.map(({ prefixes, because, text }) => ({ prefixes: texts(prefixes), because, text })),
    uncovered: uncovered.map(({ domain, prefixes, text }) => ({ domain, prefixes: texts(prefixes), text })),
    warnings: warnings.map(({ prefixes, servers, text }) => {
      return { prefixes: texts(prefixes), servers: [...servers], text }
    }),
    preconfigured: preconfigured.map(({ domain, prefixes, servers, text }) => {
      return { domain, prefixes: texts(prefixes), servers: [...servers], text }
    }),
    waiting: waiting.map(({ prefixes, text }) => ({ prefixes: texts(prefixes), text })),
    translated: translated.map(({ domain, internal, external }) => ({
      domain,
      internal: formatIpPrefix(internal),
      external: formatIpPrefix(external)
    }))
  }
}

function texts(prefixes: readonly IpPrefix[]): string[] {
  return prefixes.map((prefix) => formatIpPrefix(prefix))
}
