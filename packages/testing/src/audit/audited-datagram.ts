import { Method, OptionNumber, decodeMessage, findOption } from '@breakwater/coap'
import type { CoapMessage } from '@breakwater/coap'
import { DecodeError, toHex } from '@breakwater/core'
import type { Instant } from '@breakwater/core'
import { parseResource } from '@breakwater/dots'

/** One datagram between two DOTS agents, when it leaves the one or reaches the other. */
export interface AuditedDatagram {
  readonly at: Instant
  readonly when: 'sent' | 'delivered'
  readonly direction: 'to-server' | 'to-client'
  /** Names the two agents: what is between them is judged together, whatever the session and the path. */
  readonly pair: string
  /** Names one session of the pair; tokens mean something within it only. */
  readonly session: string
  /** Of the CoAP message, without what security adds. */
  readonly bytes: number
  /** Undefined: a message that no rule is about. */
  readonly message: AuditedMessage | undefined
}

/** What the rules tell apart. */
export type AuditedMessage =
  | { readonly kind: 'handshake' }
  | {
      readonly kind: 'request'
      /** `mitigation`: PUT and DELETE of a mitigation request, which nothing may hold back. */
      readonly about: 'mitigation' | 'heartbeat' | 'question'
      readonly token: string
      readonly isNonConfirmable: boolean
    }
  /** An answer; with Observe and without a request that waits for it, a notification. */
  | { readonly kind: 'answer'; readonly token: string; readonly hasObserve: boolean }

/** Reads a decrypted datagram for the auditor. */
export function auditedMessage(plaintext: Uint8Array): AuditedMessage | undefined {
  const message = messageIn(plaintext)
  // What no agent of ours would have sent.
  return message === undefined ? undefined : auditedCoapMessage(message)
}

/** The same of one that was read already. */
export function auditedCoapMessage(message: CoapMessage): AuditedMessage | undefined {
  if (message.code === 0) return undefined
  const token = toHex(message.token)
  if (message.code < 32)
    return {
      kind: 'request',
      about: subjectOf(message),
      token,
      isNonConfirmable: message.type === 'non-confirmable'
    }
  const hasObserve = findOption(message.options, OptionNumber.observe) !== undefined
  return { kind: 'answer', token, hasObserve }
}

function messageIn(plaintext: Uint8Array): CoapMessage | undefined {
  try {
    return decodeMessage(plaintext)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

function subjectOf({ code, options }: CoapMessage): 'mitigation' | 'heartbeat' | 'question' {
  const resource = parseResource(options)
  if (!resource.ok) return 'question'
  if (resource.value.kind === 'heartbeat') return 'heartbeat'
  const isChange = code === Method.put || code === Method.delete
  return resource.value.kind === 'mitigate' && isChange ? 'mitigation' : 'question'
}
