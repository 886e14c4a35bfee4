import type { RequestedTarget } from './requested-target.ts'

/**
 * A name of the operator's for a target (RFC 8783 §6.1). Servers do not know it: what they are asked for is what it stands
 * for, each server for its own part (RFC 9284 §6).
 */
export interface Alias {
  readonly name: string
  readonly target: RequestedTarget
}

/** What a protection is for beside the addresses that it names. */
export interface NamedTarget {
  readonly names: RequestedTarget['names']
  readonly uris: RequestedTarget['uris']
  /** Names of aliases of the site. */
  readonly aliases: readonly string[]
}
