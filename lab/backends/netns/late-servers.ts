import { once } from 'node:events'
import { join } from 'node:path'

import type { ProviderPlan } from '../../multihomed/topology.ts'
import type { Namespace } from './namespace.ts'

const PORT = 4647

/** What comes over access links to the DOTS servers of a provider is late by so many milliseconds from now on. */
export async function makeServersLate(
  namespace: Namespace,
  { servers }: ProviderPlan,
  delayMilliseconds: number
): Promise<void> {
  const program = join(import.meta.dirname, '../../traffic/late-datagrams.ts')
  for (const address of Object.values(servers)) {
    const words = [program, address, String(PORT), String(delayMilliseconds)]
    const { stdout } = namespace.start([process.execPath, ...words])
    if (stdout !== null) await once(stdout, 'data')
    await namespace.nft(`
      table ip late {
        chain prerouting {
          type nat hook prerouting priority dstnat;
          iifname "cust*" ip daddr ${address} udp dport 4646 dnat to ${address}:${PORT}
        }
      }`)
  }
}
