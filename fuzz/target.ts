/** Something that takes bytes from strangers. `run` throws when an input shows a bug; clean rejections are no bug. */
export interface FuzzTarget {
  readonly name: string
  /** @returns what happened, where the target can tell: inputs that make something new happen are mutated further. */
  run(bytes: Uint8Array): string | void
  /** Inputs to begin with, besides those in `corpus/`. */
  readonly seeds?: readonly Uint8Array[]
}
