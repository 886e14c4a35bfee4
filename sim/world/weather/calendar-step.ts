/** Steps of a calendar go this far, forward and back. */
const LONGEST_STEP_SECONDS = 7200

/** @param strength 0 … 1: from far back to far ahead. */
export function stepSeconds(strength: number): number {
  return (2 * strength - 1) * LONGEST_STEP_SECONDS
}
