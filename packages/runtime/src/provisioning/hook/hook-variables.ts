import { parseIpAddress, parseIpPrefix } from '@breakwater/core'
import type { IpAddress, IpPrefix } from '@breakwater/core'
import { LEARNT_LIMITS } from '@breakwater/dots/learnt'
import type { FactLifetime, LearntHost, LearntSearchDomain } from '@breakwater/dots'
import { isInterfaceName, isSearchDomain } from '../drop-format.ts'
import { lifetimeOfSeconds } from '../fact-lifetime.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** No option of DHCP is longer. */
const LONGEST_VALUE = 4096

/**
 * The variables that a DHCP client sets for its hook. Their values are what some server says, or whoever plays one: what is
 * not exactly an address, a prefix, a number or a name is left out and complained about. Nothing of it is run or passed on.
 */
export class HookVariables {
  readonly complaints: string[] = []
  readonly #environment: Environment

  constructor(environment: Environment) {
    this.#environment = environment
  }

  has(name: string): boolean {
    return this.#text(name) !== ''
  }

  /** A word of the client's own: never anything that a server says. */
  word(name: string): string {
    const text = this.#text(name)
    return /^[A-Za-z0-9_-]{1,40}$/.test(text) ? text : ''
  }

  /** Undefined: there is none that Linux could have. */
  interfaceName(name: string): string | undefined {
    const text = this.#text(name)
    return isInterfaceName(text) ? text : undefined
  }

  address(name: string): IpAddress | undefined {
    const text = this.#text(name)
    return text === '' ? undefined : (parseIpAddress(text) ?? this.#complain(name, 'is no address'))
  }

  /** `2001:db8::/56`; bits behind the length do no harm. */
  prefix(name: string): IpPrefix | undefined {
    const text = this.#text(name)
    return text === '' ? undefined : (parseIpPrefix(text, 'clear') ?? this.#complain(name, 'is no prefix'))
  }

  /** Addresses with blanks between them, who is preferred first. */
  hosts(name: string, most: number, valid: FactLifetime): LearntHost[] {
    const found = this.#words(name).map((text) => parseIpAddress(text))
    if (found.includes(undefined)) this.#complain(name, 'names what is no address')
    const hosts = found.flatMap((address) => (address === undefined ? [] : [{ address, valid }]))
    return this.#cut(name, hosts, most)
  }

  /** Names with blanks between them, with or without a dot at the end. */
  searchDomains(name: string, valid: FactLifetime): LearntSearchDomain[] {
    const all = this.#words(name).map((text) => text.replace(/\.$/, ''))
    if (!all.every(isSearchDomain)) this.#complain(name, 'names what is no domain')
    const domains = all.filter(isSearchDomain).map((each) => ({ name: each, valid }))
    return this.#cut(name, domains, LEARNT_LIMITS.searchDomains)
  }

  /** Undefined: there is none. */
  seconds(name: string): number | undefined {
    const text = this.#text(name)
    if (text === '') return undefined
    return /^[0-9]{1,12}$/.test(text) ? Number(text) : this.#complain(name, 'is no number')
  }

  /** What is not told does not end before the client takes it back. */
  lifetime(name: string): FactLifetime {
    const seconds = this.seconds(name)
    return seconds === undefined ? 'unlimited' : lifetimeOfSeconds(seconds)
  }

  #words(name: string): string[] {
    return this.#text(name)
      .split(/[\s,]+/)
      .filter((word) => word !== '')
  }

  #cut<Item>(name: string, items: readonly Item[], most: number): Item[] {
    if (items.length > most) this.#complain(name, `has ${items.length} entries; ${most} are taken`)
    return items.slice(0, most)
  }

  #text(name: string): string {
    const text = this.#environment[name] ?? ''
    if (text.length <= LONGEST_VALUE) return text.trim()
    this.#complain(name, `is longer than ${LONGEST_VALUE} characters`)
    return ''
  }

  /** The value is not shown: it could be anything. */
  #complain(name: string, what: string): undefined {
    this.complaints.push(`${name} ${what}`)
    return undefined
  }
}
