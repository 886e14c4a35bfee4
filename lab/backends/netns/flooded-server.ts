// The provider's DOTS server of `flooded-link`, in a namespace of its own: real DTLS and TLS, and it tells the lab what it accepts.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'

import { TICKET_KEY_BYTES, formatIpAddress, silentLog } from '@breakwater/core'
import type { NetworkPath, PeerId } from '@breakwater/core'
import { hostDotsServer } from '@breakwater/dots'
import type { ServerEvent } from '@breakwater/dots'
import { dryRunMitigator } from '@breakwater/mitigators'
import { openTlsEndpoint, systemClock, systemEntropy } from '@breakwater/runtime'
import { memoryStore } from '@breakwater/store'

import { clientDomainOf, isEntitled } from '../../agents/flooded-link-agents.ts'
import { ProcessAudit } from './flooded-audit.ts'
import { listenOptions } from './flooded-doors.ts'
import { type ServerPlan, nowMs, numbersOf, tell } from './flooded-party.ts'

const plan = JSON.parse(process.argv[2] ?? '{}') as ServerPlan
const audit = new ProcessAudit()
const open = audit.opener('server')
/** The same at all addresses, as an agent's are. */
const ticketKeys = [randomBytes(TICKET_KEY_BYTES)]
const sessions = new Map<PeerId, { readonly customer: number; readonly path: NetworkPath }>()
let isOver = false

function take(event: ServerEvent): void {
  if (event.kind === 'session-established')
    sessions.set(event.peer, { customer: customerIn(event.domain), path: event.path })
  // Attempts at a new session may end; what stood before the flood may not.
  if (event.kind === 'session-closed' && !isOver && plan.proof.kind === 'keys')
    tell({
      kind: 'lost',
      customer: sessions.get(event.peer)?.customer ?? Number.NaN,
      side: 'server',
      reason: event.reason,
      atMs: nowMs()
    })
  if (event.kind !== 'request') return
  const session = sessions.get(event.peer)
  if (session === undefined) return
  const { customer, path } = session
  if (!isEntitled(customer, event.targets)) tell({ kind: 'wrong-request', customer })
  if (event.outcome !== 'created') return
  const { address, port } = path.remote
  tell({ kind: 'accepted', customer, atMs: nowMs(), address: formatIpAddress(address), port })
}

function customerIn(domain: string | undefined): number {
  return Number(domain?.replace('customer-', ''))
}

const server = await hostDotsServer({
  clock: systemClock(),
  entropy: systemEntropy(),
  open: (options, handlers) =>
    open(options.role === 'server' ? { ...options, ticketKeys } : options, handlers),
  openStream: openTlsEndpoint,
  listen: listenOptions(plan),
  store: memoryStore(),
  mitigator: dryRunMitigator(silentLog),
  domains: numbersOf(plan).map((number) => clientDomainOf(number)),
  log: silentLog,
  onEvent: take
})
tell({ kind: 'ready' })
// The lab says that the flood is on, then that the story is over; it closes our standard input when both sides know.
await once(process.stdin, 'data')
await once(process.stdin, 'data')
isOver = true
audit.tell()
tell({ kind: 'over' })
await once(process.stdin.resume(), 'end')
await server.stop()
