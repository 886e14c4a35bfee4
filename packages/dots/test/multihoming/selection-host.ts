import { formatIpAddress } from '@breakwater/core'
import { DEFAULT_POLICY_ROWS } from '../../src/multihoming/address-selection/default-policy.ts'
import { orderDestinations } from '../../src/multihoming/address-selection/destination-selection.ts'
import type { LocalAddress, LocalInterface } from '../../src/domain/local-address.ts'
import { PolicyTable } from '../../src/multihoming/address-selection/policy-table.ts'
import type { PolicyRow } from '../../src/domain/selection-settings.ts'
import type {
  Destination,
  SelectionContext
} from '../../src/multihoming/address-selection/selection-context.ts'
import { orderSources, selectSource } from '../../src/multihoming/address-selection/source-selection.ts'
import { ip, net } from './sites.ts'

/** Builders for address selection in the words of a test. */

export const lan: LocalInterface = { name: 'lan' }

/** `own('2001:db8:1::2', { isTemporary: true })`: of `lan`, in a /64 or /24 unless the text names another length. */
export function own(text: string, about: Partial<LocalAddress> = {}): LocalAddress {
  const [address = '', length] = text.split('/')
  const parsed = ip(address)
  const prefixLength = Number(length ?? (parsed.family === 6 ? 64 : 24))
  return { address: parsed, prefixLength, interface: lan, ...about }
}

/** By `lan` unless said otherwise. */
export function to(text: string, about: Partial<Destination> = {}): Destination {
  return { address: ip(text), route: { interface: lan }, ...about }
}

/** `row('::ffff:0:0/96', 100, 4)` */
export function row(prefix: string, precedence: number, label: number, zone?: string): PolicyRow {
  return { prefix: net(prefix), precedence, label, ...(zone === undefined ? {} : { zone }) }
}

/** The default table with these rows in place of those of the same prefixes. */
export function policyWith(...rows: readonly PolicyRow[]): PolicyTable {
  const replaced = new Set(rows.map(({ prefix }) => formatIpAddress(prefix.address) + prefix.length))
  const kept = DEFAULT_POLICY_ROWS.filter(
    ({ prefix }) => !replaced.has(formatIpAddress(prefix.address) + prefix.length)
  )
  return new PolicyTable([...kept, ...rows])
}

/** A host with these addresses and the default table. */
export function host(
  locals: readonly (LocalAddress | string)[],
  about: Partial<SelectionContext> = {}
): SelectionContext {
  return {
    locals: locals.map((each) => (typeof each === 'string' ? own(each) : each)),
    policy: new PolicyTable(DEFAULT_POLICY_ROWS),
    ...about
  }
}

/** The selected source of a destination, as text. */
export function sourceFor(context: SelectionContext, destination: Destination | string): string | undefined {
  const source = selectSource(context, typeof destination === 'string' ? to(destination) : destination)
  return source && formatIpAddress(source.address)
}

/** All candidates, the best first. */
export function sourcesFor(context: SelectionContext, destination: Destination | string): string[] {
  const wanted = typeof destination === 'string' ? to(destination) : destination
  return orderSources(context, wanted).map(({ address }) => formatIpAddress(address))
}

/** `2001:db8:1::1 from 2001:db8:1::2`, in the order of destination selection. */
export function order(
  context: SelectionContext,
  ...destinations: readonly (Destination | string)[]
): string[] {
  const wanted = destinations.map((each) => (typeof each === 'string' ? to(each) : each))
  return orderDestinations(context, wanted).map(({ destination, source }) => {
    const from = source === undefined ? 'nowhere' : formatIpAddress(source.address)
    return `${formatIpAddress(destination.address)} from ${from}`
  })
}
