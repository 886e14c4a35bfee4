/** Something that takes bytes from strangers. `run` throws only when it found a bug. */
export interface FuzzTarget {
  readonly name: string
  run(bytes: Uint8Array): void
  /** Well-formed inputs to start from. */
  readonly seeds?: readonly Uint8Array[]
}
