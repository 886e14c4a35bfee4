/** What an attack leaves in the books of the attacked. */
export type Trace =
  | { readonly counter: string }
  /** An event of the log. */
  | { readonly event: string }
  | { readonly none: string }

/** One attack that is known by name: what the table says of it and what is done to see that it fails. */
export interface Attack<World> {
  readonly name: string
  readonly who: 'stranger' | 'client' | 'server'
  /** What the attacker is after. */
  readonly after: string
  /** Where it is known from: a section of an RFC, a CVE, an issue of another implementation. */
  readonly source: string
  /** What the attacker gets: a code, an alert, silence. */
  readonly answer: string
  readonly trace: Trace
  readonly run: (world: World) => void | Promise<void>
}

/** Attacks that are run against the same thing. */
export interface Family<World> {
  readonly title: string
  /** What stands for the attacked. */
  readonly against: string
  readonly attacks: readonly Attack<World>[]
}
