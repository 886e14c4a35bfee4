import { Seconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'

/** How long a server may keep us away by a Release: longer, and nobody would be there when the attack comes. */
const LONGEST_HOLD_OFF_SECONDS = 300

/** How long a session that its server released keeps us away (RFC 8323 §5.5). */
export function holdOffOf({ holdOffSeconds = 0 }: { readonly holdOffSeconds: number | undefined }): Duration {
  return Seconds(Math.min(holdOffSeconds, LONGEST_HOLD_OFF_SECONDS))
}
