import { Method, OptionNumber, decodeMessage } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import { BreakwaterError, toHex } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'
import { parseTarget, pathText } from '@breakwater/dots'
import type { Target, Trigger } from '@breakwater/dots'
import { auditedCoapMessage, plaintextOf, sessionOfDatagram } from '@breakwater/testing'
import type { AuditedMessage, TraceEntry } from '@breakwater/testing'

interface SeenBase {
  readonly at: Instant
  readonly entry: TraceEntry
  /** Hexadecimal; pairs an answer with its request. */
  readonly token: string
  readonly messageId: number
  readonly isNonConfirmable: boolean
}

/** A DOTS message as it was seen on the wire, decrypted. */
export type Seen = SeenBase &
  (
    | ({
        readonly kind: 'put' | 'delete' | 'get'
        readonly cuid: string
        readonly mitigationId: number | undefined
      } & {
        /** Of a PUT. */
        readonly target: Target | undefined
        /** Of a PUT. */
        readonly trigger: Trigger
        /** Of a PUT; −1: until withdrawn. */
        readonly lifetimeSeconds: number | undefined
      })
    | { readonly kind: 'heartbeat' }
    | {
        readonly kind: 'answer'
        readonly code: number
        readonly isNotification: boolean
        /** Of the first mitigation that it tells of; read when it is asked for. */
        readonly lifetimeSeconds: number | undefined
      }
  )

export type SeenMitigationRequest = Extract<Seen, { readonly mitigationId: number | undefined }>

/** A record type of DTLS (RFC 6347 §4.1). */
const HANDSHAKE = 22

/** What a traced datagram carries. */
export interface DatagramContent {
  /** The same for both directions of a session, whatever happens to addresses on the way. */
  readonly session: string
  /** Without what security adds. */
  readonly bytes: number
  /** As the auditor of pacing sees it. */
  readonly audited: AuditedMessage | undefined
  /** Undefined: no DOTS message, but a handshake, an alert or an empty one. */
  readonly seen: Seen | undefined
}

/** Reads a datagram, decrypted. */
export function contentOf(entry: TraceEntry): DatagramContent {
  const { bytes } = entry
  const session = String(sessionOfDatagram(bytes))
  const plaintext = plaintextOf(bytes)
  if (plaintext === undefined) {
    const audited = bytes[0] === HANDSHAKE ? ({ kind: 'handshake' } as const) : undefined
    return { session, bytes: bytes.length, audited, seen: undefined }
  }
  const message = decodeMessage(plaintext)
  const audited = auditedCoapMessage(message)
  return { session, bytes: plaintext.length, audited, seen: seenIn(entry, message) }
}

function seenIn(entry: TraceEntry, message: CoapMessage): Seen | undefined {
  if (message.code === 0) return undefined
  const base = {
    at: entry.at,
    entry,
    token: toHex(message.token),
    messageId: message.messageId,
    isNonConfirmable: message.type === 'non-confirmable'
  }
  return message.code < 32 ? requestOf(base, message) : answerOf(base, message)
}

function requestOf(base: SeenBase, message: CoapMessage): Seen | undefined {
  const path = pathText(message.options)
  if (path === '/.well-known/dots/hb') return { ...base, kind: 'heartbeat' }
  const match = /^\/\.well-known\/dots\/mitigate\/cuid=([^/]+)(?:\/mid=(\d+))?$/.exec(path)
  if (match === null) return undefined
  const scope =
    message.code === Method.put ? decodeSignal(message.payload).mitigationScope?.scope?.[0] : undefined
  const target = scope === undefined ? undefined : parseTarget(scope)
  return {
    ...base,
    kind: message.code === Method.put ? 'put' : message.code === Method.delete ? 'delete' : 'get',
    cuid: match[1] ?? '',
    mitigationId: match[2] === undefined ? undefined : Number(match[2]),
    target: target?.ok === true ? target.value : undefined,
    trigger: scope?.triggerMitigation === false ? 'signal-loss' : 'immediate',
    lifetimeSeconds: scope?.lifetime
  }
}

function answerOf(base: SeenBase, message: CoapMessage): Seen {
  return {
    ...base,
    kind: 'answer',
    code: message.code,
    isNotification: message.options.some(({ number }) => number === OptionNumber.observe),
    get lifetimeSeconds() {
      return lifetimeIn(message.payload)
    }
  }
}

function lifetimeIn(payload: Uint8Array): number | undefined {
  if (payload.length === 0) return undefined
  try {
    return decodeSignal(payload).mitigationScope?.scope?.[0]?.lifetime
  } catch (error) {
    // A diagnostic text.
    if (error instanceof BreakwaterError) return undefined
    throw error
  }
}
