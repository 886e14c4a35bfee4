import { Method, OptionNumber, decodeMessage } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import { BreakwaterError, toHex } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import { decodeSignal } from '@breakwater/model'
import { parseTarget, pathText } from '@breakwater/dots'
import type { Target } from '@breakwater/dots'
import { plaintextOf } from '@breakwater/testing'
import type { TraceEntry } from '@breakwater/testing'

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

/** The DOTS message in a traced datagram; undefined when it carries none: handshakes, alerts, empty messages. */
export function seenIn(entry: TraceEntry): Seen | undefined {
  const plaintext = plaintextOf(entry.bytes)
  if (plaintext === undefined) return undefined
  const message = decodeMessage(plaintext)
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
