import type { IpPrefix } from '@breakwater/core'
import type { ServerName } from '../domain/identifier.ts'
import type { Alternatives } from './alternatives.ts'
import { splitAtClassBorders } from './class-border.ts'
import type { ClassPlan, SitePlan } from './site-plan.ts'

/**
 * Whether a server may hear of all of a prefix as the site is (RFC 9284 §5.1), be it asked or another one in its place;
 * whether a consent holds today is not looked at.
 */
export function isEntitled(plan: SitePlan, server: ServerName, prefix: IpPrefix): boolean {
  const pieces = splitAtClassBorders(plan.table, prefix) ?? []
  return pieces.length > 0 && pieces.every(({ value }) => value !== undefined && mayHear(value, server))
}

function mayHear({ alternatives, consented }: ClassPlan, server: ServerName): boolean {
  return isAmong(alternatives, server) || consented.some((each) => isAmong(each.alternatives, server))
}

function isAmong(alternatives: readonly Alternatives[], server: ServerName): boolean {
  return alternatives.some((servers) => servers.some(({ name }) => name === server))
}
