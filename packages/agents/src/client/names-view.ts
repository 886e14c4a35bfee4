import { between, formatIpAddress, inSeconds } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import type { NameView } from '@breakwater/control'
import type { NameStanding } from '@breakwater/dots'

/** What names mean, as the control API shows it. */
export function namesView(names: readonly NameStanding[], now: Instant): NameView[] {
  return names.map(({ name, state, addresses, leaving, askedAgainAt, text }) => ({
    name,
    state,
    addresses: addresses.map(formatIpAddress),
    ...(leaving.length === 0 ? {} : { leaving: leaving.map(formatIpAddress) }),
    ...(askedAgainAt === undefined
      ? {}
      : { askedAgainInSeconds: Math.max(0, Math.round(inSeconds(between(now, askedAgainAt)))) }),
    ...(text === '' ? {} : { text })
  }))
}
