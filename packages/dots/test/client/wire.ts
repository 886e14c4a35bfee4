import { Method, decodeMessage, formatMethod } from '@breakwater/coap'
import { formatIpAddress } from '@breakwater/core'
import type { Instant, IpPrefix, SocketAddress } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'
import { plaintextOf } from '@breakwater/testing'
import type { TraceEntry } from '@breakwater/testing'
import { parseTarget } from '../../src/signal/mapper.ts'
import { pathText } from '../../src/signal/resource.ts'

/** A DOTS request as it was seen on the wire. */
export interface WireRequest {
  readonly at: Instant
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
  if (entry.fate.kind !== 'sent') return undefined
  const plaintext = plaintextOf(entry.bytes)
  if (plaintext === undefined) return undefined
  const message = decodeMessage(plaintext)
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
