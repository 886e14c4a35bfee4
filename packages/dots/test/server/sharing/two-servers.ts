import { Milliseconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import type { ServerPolicy } from '@breakwater/dots'
import { SimulatedSharedStore } from '@breakwater/testing'
import { ServerBed } from '../server-bed.ts'

//             +---- store, device ----+
//         one |                       | other        one provider, a server for each attachment
//             +------- client --------+

const STEP = Milliseconds(50)

/** Two servers of one provider, with one store and one device (RFC 9284 §5.4). */
export class TwoServers {
  readonly store: SimulatedSharedStore
  readonly one: ServerBed
  readonly other: ServerBed

  constructor(policy: Partial<ServerPolicy> = {}) {
    this.store = new SimulatedSharedStore(() => this.#now())
    this.one = new ServerBed({ shared: this.store, policy })
    this.other = new ServerBed({ shared: this.store, policy })
    this.other.inForce = this.one.inForce
  }

  /** Ends a server as `kill -9` does. */
  kill(server: ServerBed): void {
    server.isDead = true
  }

  /** Ends a server in good order. */
  stop(server: ServerBed): void {
    server.isDead = true
    this.store.leave(server.writer)
  }

  /** Lets time pass for both, in small steps in turn. */
  advance(duration: Duration): void {
    for (let passed = 0; passed < duration; passed += STEP)
      for (const server of [this.one, this.other]) server.advance(STEP)
  }

  /** Until each knows what the other has done. */
  settle(): void {
    this.advance(Milliseconds(1000))
  }

  #now(): number {
    const beds = [this.one, this.other] as (ServerBed | undefined)[]
    return Math.max(...beds.map((bed) => (bed === undefined || bed.isDead ? 0 : bed.now)))
  }
}
