import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { end } from '../backends/netns/command.ts'
import type { Namespace } from '../backends/netns/namespace.ts'

/** A running flood: bounded in packets and time, ends by itself at the latest then. */
export interface Flood {
  stop(): Promise<void>
}

/** Bytes of UDP payload in each packet. */
const payloadBytes = 1000
const packetsPerSecond = 4000

/**
 * Sends UDP from port 123 (a reflected NTP answer, as it were) to an address, from a namespace of the lab's own, for at
 * most `seconds`.
 */
export async function startFlood(options: {
  readonly from: Namespace
  readonly device: string
  readonly source: string
  readonly destination: string
  readonly nextHop: { readonly namespace: Namespace; readonly device: string }
  readonly seconds: number
}): Promise<Flood> {
  const { from, device, source, destination, nextHop, seconds } = options
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-flood-'))
  const file = join(folder, 'flood.cfg')
  const [sourceMac, nextHopMac] = await Promise.all([
    macOf(from, device),
    macOf(nextHop.namespace, nextHop.device)
  ])
  await writeFile(
    file,
    `{ eth(sa=${sourceMac}, da=${nextHopMac}), ipv4(saddr=${source}, daddr=${destination}, ttl=60), ` +
      `udp(sp=123, dp=drnd()), fill('A', ${payloadBytes}) }\n`
  )
  // A gap between packets: a rate would be sent as one burst a second, which does not fill a link.
  const gapMicroseconds = Math.round(1e6 / packetsPerSecond)
  const count = Math.round(packetsPerSecond * seconds)
  const child = from.start(
    [
      'trafgen',
      '--in',
      file,
      '--out',
      device,
      '-P',
      '1',
      '-t',
      `${gapMicroseconds}us`,
      '-n',
      `${count}`,
      '-q'
    ],
    'ignore'
  )
  return {
    stop: async () => {
      // trafgen's worker outlives every politer signal.
      await end(child, 'SIGKILL')
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function macOf(namespace: Namespace, device: string): Promise<string> {
  return (await namespace.exec(['cat', `/sys/class/net/${device}/address`])).trim()
}
