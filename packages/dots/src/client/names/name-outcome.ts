import type { NameAnswer } from '../../domain/resolver.ts'
import { MOST_ADDRESSES_PER_NAME } from './name-memory.ts'

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
