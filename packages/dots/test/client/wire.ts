import { FrameReader, Method, decodeMessage, formatMethod } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import { formatIpAddress } from '@breakwater/core'
import type { Instant, IpPrefix, SocketAddress, Transport } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'
import { StreamTap, plaintextOf } from '@breakwater/testing'
import type { TraceEntry } from '@breakwater/testing'
import { parseTarget } from '../../src/signal/mapper.ts'
import { pathText } from '../../src/signal/resource.ts'

/** A DOTS request as it was seen on the wire. */
export interface WireRequest {
  readonly at: Instant
  readonly transport: Transport
  readonly host: string
  readonly method: string
  /** `/.well-known/dots/mitigate/cuid=…/mid=…` */
  readonly path: string
  readonly mitigationId: number | undefined
  readonly prefixes: readonly IpPrefix[]
  readonly lifetimeSeconds: number | undefined
  readonly source: string
  readonly interface: string | undefined
  readonly remote: SocketAddress
}

/** Reads the requests out of a trace, independently of the client. Heartbeats count as `PUT …/hb`. */
export function requestIn(entry: TraceEntry): WireRequest | undefined {
  const plaintext =
    entry.fate.kind === 'sent' && entry.transport === 'udp' ? plaintextOf(entry.bytes) : undefined
  return plaintext === undefined ? undefined : wireRequest(entry, decodeMessage(plaintext))
}

/** The same for streams: each request once, when its last byte is sent for the first time. */
export class StreamRequests {
  readonly #tap = new StreamTap()
  readonly #frames = new Map<string, FrameReader>()

  read(entry: TraceEntry): WireRequest[] {
    const plaintext = this.#tap.read(entry)
    if (plaintext === undefined) return []
    const frames = this.#frames.get(plaintext.direction) ?? new FrameReader(65_536)
    this.#frames.set(plaintext.direction, frames)
    frames.feed(plaintext.bytes)
    const requests: WireRequest[] = []
    for (let message = frames.next(); message !== undefined; message = frames.next()) {
      const request = wireRequest(entry, message)
      if (request !== undefined) requests.push(request)
    }
    return requests
  }
}

function wireRequest(
  entry: TraceEntry,
  message: Pick<CoapMessage, 'code' | 'options' | 'payload'>
): WireRequest | undefined {
  if (message.code === 0 || message.code >= 32) return undefined
  const path = pathText(message.options)
  const scope =
    message.code === Method.put && path.includes('/mitigate')
      ? decodeSignal(message.payload).mitigationScope?.scope?.[0]
      : undefined
  const target = scope === undefined ? undefined : parseTarget(scope)
  const mid = /mid=(\d+)$/.exec(path)?.[1]
  return {
    at: entry.at,
    transport: entry.transport,
    host: entry.from,
    method: formatMethod(message.code),
    path,
    mitigationId: mid === undefined ? undefined : Number(mid),
    prefixes: target?.ok === true ? target.value.prefixes : [],
    lifetimeSeconds: scope?.lifetime,
    source: formatIpAddress(entry.path.local.address),
    interface: entry.path.interface,
    remote: entry.path.remote
  }
}
