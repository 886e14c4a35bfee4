import type { Family } from '../attack.ts'
import { amplification } from './amplification.ts'
import type { EngineWorld } from './engine-world.ts'
import { exhaustion } from './exhaustion.ts'
import { malformed } from './malformed.ts'
import { takeover } from './takeover.ts'

/** What fuzzers and researchers found in DTLS listeners, and the other things that a stranger may try. */
export const strangersOverDtls: Family<EngineWorld> = {
  title: 'Strangers over DTLS',
  against: 'the DTLS engine of a server, in memory, with an established session and newcomers beside it',
  attacks: [...amplification, ...malformed, ...takeover, ...exhaustion]
}
