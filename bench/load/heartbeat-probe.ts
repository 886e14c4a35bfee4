// One client in a process of its own that sends heartbeats: heartbeat-probe.ts PORT. Told for how long, it answers with the
// 99th percentile of the response times in ms.
import { EventEmitter, once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { encodeMessage } from '@breakwater/coap'
import { ipv4 } from '@breakwater/core'
import { heartbeatRequest } from '@breakwater/dots'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { KEY_HEX, identityOf } from './many-clients.ts'
import { serveSamples } from './sampler.ts'

const INTERVAL_MS = 5
/** RFC 7252 §3: where the Message ID stands. */
const MESSAGE_ID_AT = 2

const local = { address: ipv4(0x7f000001), port: 0 }
const credentials = { kind: 'psk', identity: identityOf(0), key: Buffer.from(KEY_HEX, 'hex') } as const
const session = new EventEmitter()
const sentAt = new Map<number, number>()
let times: number[] = []
let serial = 0

const endpoint = await openDtlsEndpoint(
  { role: 'client', local, credentials },
  {
    onBatch: (batch) => {
      const now = performance.now()
      for (let at = 0; at < batch.count; at++) answered(batch.bytes(at), now)
    },
    onSession: ({ kind }) => session.emit(kind)
  }
)
const remote = { ...local, port: Number(process.argv[2]) }
const peer = endpoint.connect({ remote, serverName: 'server.example' })
await once(session, 'established')

/** A token names the request. */
function answered(bytes: Uint8Array, now: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < MESSAGE_ID_AT + 6) return
  const token = view.getUint32(MESSAGE_ID_AT + 2)
  const at = sentAt.get(token)
  if (at === undefined) return
  sentAt.delete(token)
  times.push(now - at)
}

function probe(): void {
  const { method, options, payload } = heartbeatRequest(true)
  const token = new Uint8Array(4)
  new DataView(token.buffer).setUint32(0, ++serial)
  const messageId = serial & 0xffff
  sentAt.set(serial, performance.now())
  endpoint.send(
    peer,
    encodeMessage({ type: 'non-confirmable', code: method, messageId, token, options, payload })
  )
}

async function sample(milliseconds: number): Promise<number> {
  times = []
  const timer = setInterval(probe, INTERVAL_MS)
  await pause(milliseconds)
  clearInterval(timer)
  await pause(200)
  // What never came took longer than all others.
  for (const _ of sentAt) times.push(Infinity)
  sentAt.clear()
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Infinity
}

serveSamples(sample)
