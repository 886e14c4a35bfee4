import type { ProtectionId } from '../../domain/identifier.ts'
import type { Target } from '../../domain/target.ts'
import { coversTarget } from '../../multihoming/compiler.ts'
import { OverlapIndex } from '../../multihoming/overlap-index.ts'
import type { BookedRequest } from './booked-request.ts'
import { isInForce } from './request-state.ts'

/** For so few, looking at all requests takes less than putting them in order. */
const FEW_QUESTIONS = 8

/** How the requests at one server stand at a moment, made to be asked about thousands of protections. */
export class RequestStanding {
  readonly requests: readonly BookedRequest[]
  #byProtection: ReadonlyMap<ProtectionId, readonly BookedRequest[]> | undefined
  #inForce: readonly BookedRequest[] | undefined
  #index: OverlapIndex<BookedRequest> | undefined
  #questions = 0

  constructor(requests: readonly BookedRequest[]) {
    this.requests = requests
  }

  /** Requests that serve a protection. */
  serving(protection: ProtectionId): readonly BookedRequest[] {
    this.#byProtection ??= byProtection(this.requests)
    return this.#byProtection.get(protection) ?? []
  }

  /** Whether what is in force now, whomever for, protects all of a target. */
  covers(target: Target): boolean {
    this.#inForce ??= this.requests.filter(
      ({ state, trigger }) => isInForce(state) && trigger === 'immediate'
    )
    const near = ++this.#questions <= FEW_QUESTIONS ? this.#inForce : this.#near(this.#inForce, target)
    return coversTarget(
      near.map((each) => each.target),
      target
    )
  }

  #near(inForce: readonly BookedRequest[], target: Target): readonly BookedRequest[] {
    this.#index ??= new OverlapIndex(inForce)
    return this.#index.overlapping(target)
  }
}

function byProtection(
  requests: readonly BookedRequest[]
): ReadonlyMap<ProtectionId, readonly BookedRequest[]> {
  const found = new Map<ProtectionId, BookedRequest[]>()
  for (const request of requests)
    for (const protection of request.protections) {
      const own = found.get(protection)
      if (own === undefined) found.set(protection, [request])
      else own.push(request)
    }
  return found
}
