import { Seconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import type { NameAnswer } from '../../domain/resolver.ts'
import { MOST_ADDRESSES_PER_NAME } from './name-memory.ts'

/** Longer than any resolver's own limit: for one that breaks its promise to end by itself. */
export const QUESTION_GIVEN_UP_AFTER: Duration = Seconds(15)

/** What became of a question that was given up. */
export const GIVEN_UP: NameOutcome = { kind: 'failed', reason: 'the resolver gave no answer' }

/** What came of a question. `failed`: nobody who should know said anything usable. */
export type NameOutcome = NameAnswer | { readonly kind: 'failed'; readonly reason: string }

/** Why an answer says nothing of where a service is; undefined: it does. */
export function unusable(outcome: NameOutcome): string | undefined {
  switch (outcome.kind) {
    case 'failed':
      return outcome.reason
    case 'no-such-name':
      return 'there is no such name'
    case 'addresses': {
      const { length } = outcome.addresses
      if (length === 0) return 'it has no address'
      return length > MOST_ADDRESSES_PER_NAME
        ? `it has ${length} addresses, and more than ${MOST_ADDRESSES_PER_NAME} are not believed`
        : undefined
    }
  }
}
