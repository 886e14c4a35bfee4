import { Method, OptionNumber, decodeMessage, isSignal } from '@breakwater/coap'
import type { CoapMessage, StreamMessage } from '@breakwater/coap'
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
  /** A copy has the same. Over TCP, where there are none, the number of the packet. */
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

/** What a traced packet carries. */
export interface DatagramContent {
  /** The same for both directions of a session, whatever happens to addresses on the way. */
  readonly session: string
  /** Without what security adds. */
  readonly bytes: number
  /** As the auditor of pacing sees it; nothing over TCP, which paces itself. */
  readonly audited: AuditedMessage | undefined
  /** Undefined: no DOTS message, but a handshake, an alert or an empty one. */
  readonly seen: Seen | undefined
}

/** Reads a datagram, decrypted. */
export function contentOf(entry: TraceEntry): DatagramContent {
  const { at, bytes } = entry
  const session = String(sessionOfDatagram(bytes))
  const plaintext = plaintextOf(bytes)
  if (plaintext === undefined) {
    const audited = bytes[0] === HANDSHAKE ? ({ kind: 'handshake' } as const) : undefined
    return { session, bytes: bytes.length, audited, seen: undefined }
  }
  const message = decodeMessage(plaintext)
  const { messageId, type } = message
  const base = { at, entry, messageId, isNonConfirmable: type === 'non-confirmable' }
  const audited = auditedCoapMessage(message)
  return { session, bytes: plaintext.length, audited, seen: seenIn(base, message) }
}

/** A message of a stream that was complete with this packet. */
export function contentOfStream(entry: TraceEntry, session: string, message: StreamMessage): DatagramContent {
  const base = { at: entry.at, entry, messageId: entry.datagram, isNonConfirmable: false }
  const seen = isSignal(message.code) ? undefined : seenIn(base, message)
  return { session, bytes: message.payload.length, audited: undefined, seen }
}

/** Of CoAP, over whatever it came. */
type AnyMessage = Pick<CoapMessage, 'code' | 'token' | 'options' | 'payload'>

function seenIn(common: Omit<SeenBase, 'token'>, message: AnyMessage): Seen | undefined {
  if (message.code === 0) return undefined
  const base = { ...common, token: toHex(message.token) }
  return message.code < 32 ? requestOf(base, message) : answerOf(base, message)
}

function requestOf(base: SeenBase, message: AnyMessage): Seen | undefined {
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

function answerOf(base: SeenBase, message: AnyMessage): Seen {
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
