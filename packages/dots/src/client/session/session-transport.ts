import { CoapSession, CoapStreamSession } from '@breakwater/coap'
import type { Entropy, Instant, Transport } from '@breakwater/core'
import { AGENT_BLOCKWISE } from '../../signal/block-transfer.ts'
import type { SessionParameters } from '../../signal/defaults.ts'
import type { HeartbeatConfiguration } from '../../signal/heartbeat.ts'
import { transmissionParameters } from '../../signal/session-configuration.ts'

/** CoAP with a server over either transport. */
export function newCoap(
  transport: Transport,
  session: SessionParameters,
  entropy: Entropy,
  now: Instant
): CoapSession | CoapStreamSession {
  const common = { parameters: transmissionParameters(session), entropy, blockwise: AGENT_BLOCKWISE }
  return transport === 'udp' ? new CoapSession(common) : new CoapStreamSession({ ...common, openedAt: now })
}

/** RFC 9132 §4.7: over TCP a reply may take one interval, and one that does not come is a failure. */
export function heartbeatConfiguration(
  transport: Transport,
  session: SessionParameters
): HeartbeatConfiguration {
  return transport === 'udp' ? session : { ...session, missingHeartbeatsAllowed: 1 }
}
