import type { LearntConfiguration, LearntOrigin } from '@breakwater/dots'
import type { HookVariables } from './hook-variables.ts'

/** What an event of a DHCP client means for the drop directory. */
export interface HookOutcome {
  readonly write: readonly { readonly name: string; readonly configuration: LearntConfiguration }[]
  /** Names of files, and beginnings of names with `*` at the end. */
  readonly remove: readonly string[]
  /** Variables whose values are of no use, for the log of the client. */
  readonly complaints: readonly string[]
}

/** The event means nothing here. */
export const NOTHING: HookOutcome = { write: [], remove: [], complaints: [] }

export function removing(...names: readonly string[]): HookOutcome {
  return { write: [], remove: names, complaints: [] }
}

/** @param found Undefined: there is nothing to write. */
export function writing(
  name: string,
  found: LearntConfiguration | undefined,
  variables: HookVariables
): HookOutcome {
  const write = found === undefined ? [] : [{ name, configuration: found }]
  return { write, remove: [], complaints: variables.complaints }
}

/** `dhclient4.wan1.json`; whatever an interface or an address is called, it stays in its folder. */
export function fileName(...parts: readonly string[]): string {
  return `${parts.map(plainName).join('.')}.json`
}

function plainName(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_:@-]/gu, (each) => `+${each.codePointAt(0)?.toString(16)}`)
}

/** A configuration of which `facts` says what there is. */
export function configuration(
  via: string,
  origin: LearntOrigin,
  facts: Partial<Omit<LearntConfiguration, 'interface' | 'origin'>>
): LearntConfiguration {
  const none = { prefixes: [], addresses: [], resolvers: [], gateways: [], searchDomains: [] }
  return { interface: via, origin, ...none, ...facts }
}
