import { frame, frameLines } from '@breakwater/testing'
import type { Peer } from '../../packages/dots/test/server/server-bed.ts'
import type { MachineWorld } from './machine-world.ts'

/** A session of the attacker's over TCP on which only that is said which an attack says: frames, or bytes as they are. */
export class RawStream {
  readonly #world: MachineWorld
  readonly #peer: Peer

  constructor(world: MachineWorld, ...first: readonly (string | Uint8Array)[]) {
    this.#world = world
    // Its first message, the CSM, has gone.
    this.#peer = world.session('client.example.net', 'tcp')
    this.#peer.deaf = true
    this.say(...first)
  }

  say(...frames: readonly (string | Uint8Array)[]): void {
    const parts = frames.map((part) => (typeof part === 'string' ? frame(part) : part))
    this.#peer.send(Buffer.concat(parts))
  }

  /** The server has ended it. */
  get hasEnded(): boolean {
    return this.#world.bed.closed.includes(this.#peer.id)
  }

  /** What the server has said, piece by piece. */
  get pieces(): Uint8Array[] {
    return this.#world.bed.sent.filter(({ peer }) => peer === this.#peer.id).map(({ bytes }) => bytes)
  }

  /** The same, as lines; its CSM and its heartbeats left out. */
  get answers(): string[] {
    return this.pieces.flatMap((bytes) => frameLines(bytes)).filter((line) => !/^(?:CSM|PUT) /.test(line))
  }
}
