// The customers of `flooded-link` without a session, in the namespace of the others: when the flood is on, each starts a
// DOTS client that must get one, by real DTLS and real TLS with certificates.
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'

import { Milliseconds, silentLog } from '@breakwater/core'
import type { CertificateCredentials, ResumableSession } from '@breakwater/core'
import { hostDotsClient } from '@breakwater/dots'
import type { ClientEvent, ClientHost } from '@breakwater/dots'
import { openBoundTcpSocket } from '@breakwater/dtls'
import { systemClock, systemEntropy, tlsEndpointOpener } from '@breakwater/runtime'

import {
  cuidOfCustomer,
  customerName,
  domainName,
  protectionOf,
  serverName,
  siteOfCustomer
} from '../../agents/flooded-link-agents.ts'
import { ProcessAudit } from './flooded-audit.ts'
import { openAuthority } from './flooded-authority.ts'
import { type NewcomerGroup, type NewcomersPlan, nowMs, numbersOf, tell } from './flooded-party.ts'
import { storedTickets } from './stored-tickets.ts'

/** A customer before it starts. */
interface Newcomer {
  readonly customer: number
  readonly group: NewcomerGroup
  readonly credentials: CertificateCredentials
  /** Stored beforehand. */
  readonly sessions: readonly ResumableSession[]
}

/** Handshakes at a time, when tickets are fetched. */
const AT_A_TIME = 16

/** Handshakes of all customers at once keep this process busy for seconds, where the machine has other things to do. */
const REPETITION_SLACK_MILLISECONDS = 4000

const plan = JSON.parse(process.argv[2] ?? '{}') as NewcomersPlan
const audit = new ProcessAudit(REPETITION_SLACK_MILLISECONDS)
const known = new Set<number>()
const clients: ClientHost[] = []

function take(customer: number, event: ClientEvent): void {
  if (event.kind !== 'protection' || event.status.state !== 'protected' || known.has(customer)) return
  known.add(customer)
  tell({ kind: 'known', customer, atMs: nowMs() })
}

function start({ customer, group, credentials, sessions }: Newcomer): ClientHost {
  const open = audit.opener('client', customer)
  return hostDotsClient({
    clock: systemClock(),
    entropy: systemEntropy(),
    open: (options, handlers) =>
      options.role === 'server' ? open(options, handlers) : open({ ...options, sessions }, handlers),
    // The very option of an operator: of the first attempt, which starts before anything is asked, it changes the timer.
    attackHandshakeRetransmission: Milliseconds(group.retransmissionMilliseconds),
    openStream: tlsEndpointOpener({ openSocket: openBoundTcpSocket }),
    site: siteOfCustomer(customer, group),
    credentials: new Map([[domainName, credentials]]),
    cuids: new Map([[domainName, cuidOfCustomer(customer)]]),
    log: silentLog,
    onEvent: (event) => take(customer, event)
  })
}

async function newcomer(customer: number, group: NewcomerGroup): Promise<Newcomer> {
  const credentials = await certify(customerName(customer))
  const sessions = group.isResumed ? await storedTickets({ ...group, credentials, serverName }) : []
  return { customer, group, credentials, sessions }
}

const certify = await openAuthority()
tell({ kind: 'certified', server: await certify(serverName) })
// The lab says that the server listens.
await once(process.stdin, 'data')
const waiting = plan.groups.flatMap((group) => numbersOf(group).map((customer) => ({ customer, group })))
const newcomers: Newcomer[] = []
while (waiting.length > 0) {
  const next = waiting.splice(0, AT_A_TIME)
  newcomers.push(...(await Promise.all(next.map(({ customer, group }) => newcomer(customer, group)))))
}
tell({ kind: 'ready' })
// The lab says that the flood is on, then that the story is over; it closes our standard input when both sides know.
await once(process.stdin, 'data')
const delay = monitorEventLoopDelay()
delay.enable()
for (const each of newcomers)
  setTimeout(
    () => {
      const { customer } = each
      tell({ kind: 'asked', customer, atMs: nowMs() })
      const client = start(each)
      clients.push(client)
      client.protect(protectionOf(customer))
    },
    Math.random() * plan.spreadSeconds * 1000
  )
await once(process.stdin, 'data')
tell({ kind: 'busy', milliseconds: Math.round(delay.max / 1e6) })
audit.tell()
tell({ kind: 'over' })
await once(process.stdin.resume(), 'end')
await Promise.all(clients.map((client) => client.close()))
