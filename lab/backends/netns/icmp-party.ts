// One end of a DTLS session for `icmp-errors`, in a namespace of its own: tells what happens to it, one JSON object a line.
import { createInterface } from 'node:readline'

import { parseIpAddress } from '@breakwater/core'
import type { PathHint, PeerId } from '@breakwater/core'
import { openDtlsEndpoint } from '@breakwater/dtls'

/** What to be; the server's address is where the client connects to. */
export interface IcmpPlan {
  readonly role: 'client' | 'server'
  readonly own: string
  readonly server: string
  readonly serverPort: number
  /** What its datagrams may have, IP header included. Default 1280. */
  readonly mtu?: number
}

export type IcmpTold =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'established' }
  | { readonly kind: 'ended'; readonly what: string }
  | { readonly kind: 'received'; readonly bytes: number }
  | { readonly kind: 'hint'; readonly what: PathHint['kind']; readonly mtuBytes?: number }

const { role, own, server, serverPort, mtu = 1280 } = JSON.parse(process.argv[2] ?? '{}') as IcmpPlan
const psk = Buffer.from('0123456789abcdef')
let peer: PeerId | undefined

function tell(told: IcmpTold): void {
  process.stdout.write(`${JSON.stringify(told)}\n`)
}

function at(
  text: string,
  port: number
): { address: NonNullable<ReturnType<typeof parseIpAddress>>; port: number } {
  const address = parseIpAddress(text)
  if (address === undefined) throw new Error(text)
  return { address, port }
}

const endpoint = await openDtlsEndpoint(
  role === 'server'
    ? { role, mtu, local: at(own, serverPort), preSharedKeys: new Map([['site-1', psk]]) }
    : { role, mtu, local: at(own, 0), credentials: { kind: 'psk', identity: 'site-1', key: psk } },
  {
    onBatch: (batch) => {
      for (let index = 0; index < batch.count; index++)
        tell({ kind: 'received', bytes: batch.bytes(index).length })
    },
    onHint: ({ kind, mtuBytes }) =>
      tell({ kind: 'hint', what: kind, ...(mtuBytes === undefined ? {} : { mtuBytes }) }),
    onSession: (event) => {
      if (event.kind === 'established') {
        peer = event.peer
        tell({ kind: 'established' })
      } else tell({ kind: 'ended', what: `${event.kind}: ${event.reason}` })
    }
  }
)
tell({ kind: 'ready', port: endpoint.local.port })
if (role === 'client') endpoint.connect({ remote: at(server, serverPort), serverName: 'server.example' })
// Each line is a number of bytes to send.
createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (peer !== undefined) endpoint.send(peer, new Uint8Array(Number(line)))
  })
  .on('close', () => void endpoint.destroy())
