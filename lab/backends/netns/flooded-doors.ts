import { Milliseconds } from '@breakwater/core'
import type { ListenOptions } from '@breakwater/dots'

import { addressOf, customerName, serverPort } from '../../agents/flooded-link-agents.ts'
import { type Door, type ServerPlan, keyOf, numbersOf } from './flooded-party.ts'

/** Hundreds of customers share one address here, which a server would take for one that asks too much. */
const HELLOS_PER_SECOND = 100_000

/** Where the server listens, and with what it shows who it is. */
export function listenOptions(plan: ServerPlan): readonly ListenOptions[] {
  const { proof } = plan
  if (proof.kind === 'certificate') return proof.doors.flatMap((door) => everyWay(door, proof.credentials))
  const preSharedKeys = new Map(numbersOf(plan).map((number) => [customerName(number), keyOf(number)]))
  return [{ local: { address: addressOf(proof.server), port: serverPort }, preSharedKeys }]
}

/** UDP and TCP at each address. */
function everyWay(
  { addresses, retransmissionMilliseconds }: Door,
  certificate: NonNullable<ListenOptions['certificate']>
): readonly ListenOptions[] {
  return addresses.flatMap((text): readonly ListenOptions[] => {
    const way = { local: { address: addressOf(text), port: serverPort }, certificate }
    return [
      {
        ...way,
        transport: 'udp',
        handshakeRetransmission: Milliseconds(retransmissionMilliseconds),
        limits: { hellosPerSecondPerSource: HELLOS_PER_SECOND }
      },
      { ...way, transport: 'tcp' }
    ]
  })
}
