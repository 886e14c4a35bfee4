// The customers of `flooded-link`, in a namespace of their own: many DOTS clients, each with a session of real DTLS.
import { once } from 'node:events'

import { silentLog } from '@breakwater/core'
import type { OpenSecureEndpoint } from '@breakwater/core'
import { hostDotsClient } from '@breakwater/dots'
import type { ClientEvent, ClientHost } from '@breakwater/dots'
import { openBoundTcpSocket } from '@breakwater/dtls'
import { systemClock, systemEntropy, tlsEndpointOpener } from '@breakwater/runtime'

import {
  cuidOfCustomer,
  customerName,
  domainName,
  protectionOf,
  siteOfCustomer
} from '../../agents/flooded-link-agents.ts'
import { ProcessAudit } from './flooded-audit.ts'
import { type ClientsPlan, keyOf, nowMs, tell } from './flooded-party.ts'

const plan = JSON.parse(process.argv[2] ?? '{}') as ClientsPlan
const audit = new ProcessAudit()
const clients = new Map<number, ClientHost>()
const known = new Set<number>()
const lastWords = new Map<number, string>()
let isFlooded = false

function take(customer: number, event: ClientEvent): void {
  if (event.kind === 'protection' && event.status.state === 'protected' && !known.has(customer)) {
    known.add(customer)
    tell({ kind: 'known', customer, atMs: nowMs() })
  }
  if (event.kind !== 'session' || !isFlooded) return
  const { state, text } = event.session
  if (state === 'established' || state === 'silent') return
  const reason = `${state} ${text} (its endpoint said: ${lastWords.get(customer) ?? 'nothing'})`
  tell({ kind: 'lost', customer, side: 'client', reason, atMs: nowMs() })
}

/** The endpoints of a customer; how a session of theirs ended is noted before its client hears of it. */
function openerOf(customer: number): OpenSecureEndpoint {
  const open = audit.opener('client', customer)
  return (options, handlers) =>
    open(options, {
      onBatch: (batch) => handlers.onBatch(batch),
      onSession: (event) => {
        if (event.kind !== 'established') lastWords.set(customer, `${event.kind}, ${event.reason}`)
        handlers.onSession(event)
      }
    })
}

function start(customer: number, source: string): ClientHost {
  return hostDotsClient({
    clock: systemClock(),
    entropy: systemEntropy(),
    open: openerOf(customer),
    openStream: tlsEndpointOpener({ openSocket: openBoundTcpSocket }),
    site: siteOfCustomer(customer, { sources: [source], servers: [plan.server], transports: ['udp'] }),
    credentials: new Map([
      [domainName, { kind: 'psk', identity: customerName(customer), key: keyOf(customer) }]
    ]),
    cuids: new Map([[domainName, cuidOfCustomer(customer)]]),
    log: silentLog,
    onEvent: (event) => take(customer, event)
  })
}

function hasSession(client: ClientHost): boolean {
  return client.status().sessions[0]?.state === 'established'
}

async function untilEstablished(): Promise<void> {
  while (![...clients.values()].every(hasSession)) await new Promise((resolve) => setTimeout(resolve, 20))
}

for (const { first, count, source } of plan.groups)
  for (let customer = first; customer < first + count; customer++) {
    clients.set(customer, start(customer, source))
    // A few at a time: the server limits the hellos of one address.
    if (customer % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 60))
  }
await untilEstablished()
tell({ kind: 'ready' })
// The lab says that the flood is on, then that the story is over; it closes our standard input when both sides know.
await once(process.stdin, 'data')
isFlooded = true
for (const [customer, client] of clients)
  setTimeout(
    () => {
      tell({ kind: 'asked', customer, atMs: nowMs() })
      client.protect(protectionOf(customer))
    },
    Math.random() * plan.spreadSeconds * 1000
  )
await once(process.stdin, 'data')
isFlooded = false
audit.tell()
tell({ kind: 'over' })
await once(process.stdin.resume(), 'end')
await Promise.all([...clients.values()].map((client) => client.close()))
