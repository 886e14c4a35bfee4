import type { OpenSecureEndpoint } from '@breakwater/core'
import { serverAt } from '../layout.ts'
import type { Layout } from '../layout.ts'
import { astray, inTurn, talkative, unbound } from './flawed-client.ts'
import type { Process } from './process.ts'

/** Bugs that can be planted in a client from outside. */
export interface CustomerFlaws {
  /** Its endpoints are bound to no interface. */
  isUnbound?: boolean
  /** Wherever it is sent, it goes to another provider. */
  leavesDomain?: boolean
  /** Its clock runs so many times too fast. */
  haste?: number
  /** It does not hear every third wish of its operator. */
  isDeaf?: boolean
  /** It looks so seldom whether UDP gets through again, in seconds. */
  udpProbeSeconds?: number
  /** A second client under the same name serves every other protection, and neither knows of the other. */
  isTwo?: boolean
  /** Whoever asks gets the certificate that it has of its first provider. */
  hasOneCertificate?: boolean
  /** Behind every message it writes what its operator calls the protections. */
  isTalkative?: boolean
  /** The same with the names of targets. */
  tellsNames?: boolean
  /** What a name means it asks once, and goes by that for ever. */
  asksOnce?: boolean
  /** It does not show its operator why these do not protect, or why nobody is asked about a part. */
  saysNothingOf?: 'servers' | 'unasked'
  /** It goes on as if its network were as it was at the start. */
  isUntoldOfNetwork?: boolean
  /** It tells each server of everything so much later than the one before. */
  asksInTurn?: boolean
}

/**
 * Opens the endpoints of a client with these flaws.
 * @param words What its operator calls the protections, or their targets.
 */
export function flawedOpener(
  open: OpenSecureEndpoint,
  { isUnbound, leavesDomain, isTalkative, tellsNames, asksInTurn }: CustomerFlaws,
  layout: Layout,
  process: Process,
  words: () => readonly string[]
): OpenSecureEndpoint {
  if (isUnbound === true) return unbound(open)
  if (leavesDomain === true) return outOfDomain(open, layout)
  if (isTalkative === true || tellsNames === true) return talkative(open, words)
  return asksInTurn === true ? inTurn(open, process) : open
}

/** To where it is sent it goes by way of the next provider's server. */
function outOfDomain(open: OpenSecureEndpoint, layout: Layout): OpenSecureEndpoint {
  const { servers } = layout
  return astray(open, (told) => {
    const at = servers[serverAt(layout, told) ?? -1]
    if (at === undefined || at.standsFor === at.number) return told
    const other = servers.find(({ number, standsFor, home }) => number === standsFor && home !== at.home)
    return other?.addresses.find(({ family }) => family === told.family) ?? told
  })
}
