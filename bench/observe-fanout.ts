import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Method, OptionNumber, encodeMessage, uintOption } from '@breakwater/coap'
import { ipv4, prefixOf } from '@breakwater/core'
import { CONTENT_FORMAT_DOTS_CBOR, mitigatePath, mitigationRequestBody } from '@breakwater/dots'
import { encodeSignal } from '@breakwater/model'
import type { TestAuthority } from '../packages/dtls/test/pki.ts'
import type { Benchmark, Measurement } from './benchmark.ts'
import { onDtlsBed } from './dtls-bed.ts'
import { startServer } from './dtls-echo.ts'
import type { Server } from './dtls-echo.ts'
import { startDotsAgent } from './load/dots-agent.ts'
import type { DotsAgent } from './load/dots-agent.ts'
import { cuidOf, midOf } from './load/many-clients.ts'
import type { Fanout } from './load/subscribers.ts'

const rounds = 5
const clients = Number(process.env['BENCH_OBSERVERS'] ?? 10_000)
/** RFC 9132 §4.4.2.1: one notification of a session in three seconds; a little more. */
const PACE_MS = 3500
/** A notification of this benchmark: CoAP header, token, options and CBOR. */
const NOTIFICATION_BYTES = 80

const path = mitigatePath(cuidOf(0), midOf(1))
const WHAT =
  `processor time of the server process, user and system, all of its threads, for one change that ${clients} sessions ` +
  'are told of: from before the change is asked for until 100 ms after the last of them has deciphered its ' +
  `notification, less what the server takes when nothing happens; the shortest of ${rounds} changes. Ceiling: the same ` +
  'of a server that seals and sends as many datagrams in C++'

let messageId = 0

function message(method: number, options = path, payload: Uint8Array = new Uint8Array(0)): string {
  const token = new Uint8Array(4)
  const bytes = {
    type: 'non-confirmable',
    code: method,
    messageId: ++messageId,
    token,
    options,
    payload
  } as const
  return Buffer.from(encodeMessage(bytes)).toString('hex')
}

function put(): string {
  const target = { prefixes: [prefixOf(ipv4(0xc0000201), 32)], ports: [], protocols: [17] }
  const format = uintOption(OptionNumber.contentFormat, CONTENT_FORMAT_DOTS_CBOR)
  return message(Method.put, [...path, format], encodeSignal(mitigationRequestBody(target, 3600)))
}

/** To the echo in C++: this to everybody, as large as a notification. */
function toAll(): string {
  return Buffer.from([0xff, 0x50, 0x45, ...new Uint8Array(NOTIFICATION_BYTES - 2)]).toString('hex')
}

function startWholeServer(authority: TestAuthority): Promise<DotsAgent> {
  const { folder } = authority
  const keyFile = join(folder, 'psk')
  writeFileSync(keyFile, Buffer.from('0123456789abcdef').toString('hex'), { mode: 0o600 })
  return startDotsAgent({
    role: 'server',
    folder,
    core: 0,
    config: {
      listen: [{ address: '127.0.0.1', port: 0 }],
      preSharedKeys: [{ identity: 'bench', keyFile }],
      clients: [{ name: 'home', identity: { pskIdentity: 'bench' }, prefixes: ['192.0.2.0/24'] }],
      limits: { requestsPerClientPerSecond: 1_000_000, requestBurstPerClient: 1_000_000 },
      // Nothing else is to fall into a measurement.
      session: { heartbeatIntervalSeconds: 240 },
      statusIntervalSeconds: 3600,
      mitigator: { kind: 'dry-run' },
      store: { path: join(folder, 'store.db') }
    }
  })
}

interface Subscribers {
  change(request: string): Promise<Fanout>
  end(): void
}

async function subscribe(
  addon: string,
  server: { readonly port: string; readonly process: { readonly pid?: number | undefined } },
  first: string,
  request: string
): Promise<Subscribers> {
  const args = [addon, server.port, String(server.process.pid), String(clients), first, request]
  const child = fork(join(import.meta.dirname, 'load/subscribers.ts'), args, {
    stdio: ['ignore', 2, 2, 'ipc']
  })
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`the subscribers ended with code ${String(code)}`)
  })
  died.catch(() => undefined)
  await Promise.race([once(child, 'message'), died])
  return {
    change: async (bytes) => {
      const answer = once(child, 'message')
      child.send(bytes)
      const [fanout] = (await Promise.race([answer, died])) as [Fanout]
      return fanout
    },
    end: () => void child.kill('SIGKILL')
  }
}

/** Of all rounds in which nothing was lost on the way. */
function best(fanouts: readonly Fanout[]): number {
  const whole = fanouts.filter(({ told }) => told === clients)
  if (whole.length === 0) throw new Error(`not all were told: ${JSON.stringify(fanouts)}`)
  return Math.min(...whole.map(({ workMs }) => workMs))
}

/**
 * Processor time in which a whole `dots server` tells 10,000 sessions that observe one mitigation (RFC 9132 §4.4.2.1) that
 * it was withdrawn, or asked for again. Ceiling: the same engine and socket send as many datagrams of that size in C++.
 */
function run(): Promise<Measurement> {
  return onDtlsBed(async ({ addon, authority, credentials }) => {
    const whole = await startWholeServer(authority)
    const native = await startServer('native', addon, credentials)
    try {
      return await compare(addon, whole, native)
    } finally {
      native.process.kill('SIGKILL')
      await whole.stop()
    }
  })
}

async function compare(addon: string, whole: DotsAgent, native: Server): Promise<Measurement> {
  const observe = uintOption(OptionNumber.observe, 0)
  const told: Fanout[] = []
  const sent: Fanout[] = []
  const observers = await subscribe(addon, whole, put(), message(Method.get, [observe, ...path]))
  const hearers = await subscribe(addon, native, '', toAll().replace(/^ff/, ''))
  for (let round = 0; round < rounds; round++) {
    await pause(PACE_MS)
    told.push(await observers.change(round % 2 === 0 ? message(Method.delete) : put()))
    sent.push(await hearers.change(toAll()))
  }
  observers.end()
  hearers.end()
  if (process.env['BENCH_VERBOSE'] !== undefined) console.error(JSON.stringify({ told, sent }))
  const [value, ceiling] = [best(told), best(sent)]
  return { value, unit: 'ms', what: WHAT, ceiling, ratio: value / ceiling }
}

export const benchmarks: readonly Benchmark[] = [{ name: 'observe-fanout', run }]
