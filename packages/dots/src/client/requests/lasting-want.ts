import type { Want } from '../../multihoming/compiler.ts'
import type { Lifetime } from '../../signal/lifetime.ts'
import type { Trigger } from '../../signal/mapper.ts'

/** What a live protection wants of a server. */
export interface LastingWant extends Want {
  readonly lifetime: Lifetime
  readonly trigger: Trigger
}
