import type { Duration, SessionFailure } from '@breakwater/core'

/** How one attempt of a Happy Eyeballs run ended. */
export type AttemptOutcome =
  | { readonly kind: 'won'; readonly took: Duration }
  | {
      readonly kind: 'failed'
      /** `local`: nothing was sent. */
      readonly reason: SessionFailure
    }
  /** Another one won first. */
  | { readonly kind: 'outrun'; readonly waited: Duration }
  /** Another one won before its turn came. */
  | { readonly kind: 'untried' }

/** One outcome in words. */
export function describeOutcome(outcome: AttemptOutcome): string {
  switch (outcome.kind) {
    case 'won':
      return `established in ${Math.round(outcome.took)} ms`
    case 'failed':
      return outcome.reason === 'local' ? 'nothing could be sent' : `failed: ${outcome.reason}`
    case 'outrun':
      return `no session after ${Math.round(outcome.waited)} ms, when another won`
    case 'untried':
      return 'not tried: another won before'
  }
}
