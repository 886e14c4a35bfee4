import { after, type DecodeError, type Entropy, type Instant, Queue } from '@breakwater/core'
import type { CoapMessage } from '../message.ts'
import type { CoapSessionOutput, TransmissionParameters } from '../session.ts'
import { type Confirmable, Confirmables } from './confirmables.ts'
import { Deduplication, type Reply } from './deduplication.ts'
import { MessageIds } from './message-ids.ts'
import { type DerivedTimes, deriveTimes } from './parameters.ts'
import type { Probing } from './probing.ts'
import { emptyMessage } from './stamp.ts'

/**
 * What both halves of a session stand on (RFC 7252 §4): outputs, Message IDs, Confirmable messages, deduplication.
 * Tables come into being when they are first needed, as most sessions of a server are idle.
 */
export class MessageLayer {
  readonly entropy: Entropy
  readonly messageIds: MessageIds
  parameters: TransmissionParameters
  times: DerivedTimes
  /** Undefined: the caller keeps to PROBING_RATE. */
  readonly probing: Probing | undefined
  readonly #rememberedLimit: number
  readonly #outputs = new Queue<CoapSessionOutput>()
  #confirmables: Confirmables | undefined
  #seen: Deduplication | undefined
  #unidentified = 0
  #evicted = 0

  constructor(
    parameters: TransmissionParameters,
    entropy: Entropy,
    rememberedLimit: number,
    probing: Probing | undefined
  ) {
    this.probing = probing
    this.entropy = entropy
    this.parameters = parameters
    this.times = deriveTimes(parameters)
    this.messageIds = new MessageIds(entropy)
    this.#rememberedLimit = rememberedLimit
  }

  emit(output: CoapSessionOutput): void {
    this.#outputs.push(output)
  }

  poll(): CoapSessionOutput | undefined {
    return this.#outputs.shift()
  }

  transmit(bytes: Uint8Array): void {
    this.emit({ kind: 'send', bytes })
  }

  malformed(error: DecodeError): void {
    this.emit({ kind: 'malformed', error })
  }

  /** Acknowledges a message that is remembered with an Empty one, the same for every copy (RFC 7252 §4.2, §4.5). */
  acknowledge(messageId: number, now: Instant): void {
    this.reply(messageId, emptyMessage('acknowledgement', messageId), now)
  }

  /** Rejects a message that is remembered with a Reset, the same for every copy. */
  reject(messageId: number, now: Instant): void {
    this.reply(messageId, emptyMessage('reset', messageId), now)
  }

  /** Answers a message that is remembered, and every copy likewise. */
  reply(messageId: number, bytes: Uint8Array, now: Instant): void {
    this.#seen?.answered(messageId, { bytes, composedAt: now })
    this.transmit(bytes)
  }

  /** Rejects a message that is not worth remembering: a second copy gets the same answer anyway. */
  rejectId(messageId: number): void {
    this.transmit(emptyMessage('reset', messageId))
  }

  /** Whether there was an earlier copy of this message in its lifetime. */
  hasSeen(messageId: number, now: Instant): boolean {
    return this.#seen?.knows(messageId, now) === true
  }

  /** What the earlier copy of a message was answered by. */
  replyTo(messageId: number): Reply | undefined {
    return this.#seen?.replyTo(messageId)
  }

  /** @returns until when a copy of it is known. */
  remember(message: CoapMessage, now: Instant): Instant {
    const { exchangeLifetime, nonLifetime } = this.times
    const lifetime = message.type === 'confirmable' ? exchangeLifetime : nonLifetime
    this.#seen ??= new Deduplication(this.#rememberedLimit)
    if (this.#seen.isFull(now)) this.#evicted++
    const expiresAt = after(now, lifetime)
    this.#seen.remember(message.messageId, now, expiresAt)
    return expiresAt
  }

  /** Messages that are remembered now. */
  get remembered(): number {
    return this.#seen?.size ?? 0
  }

  /** Drops what has expired, and the table itself when nothing is left. */
  expireRemembered(now: Instant): void {
    this.#seen?.expire(now)
    if (this.#seen?.size === 0) this.#seen = undefined
  }

  /** An id for a Non-confirmable message; undefined while all are taken, and the message is lost. */
  allocateId(now: Instant): number | undefined {
    const id = this.messageIds.allocate(now, this.times.exchangeLifetime)
    if (id === undefined) this.#unidentified++
    return id
  }

  /** Messages that were forgotten before their time, since the beginning. */
  get evicted(): number {
    return this.#evicted
  }

  /** Messages for which no id was free, since the beginning. */
  get unidentified(): number {
    return this.#unidentified
  }

  /** Confirmable messages underway or waiting. */
  get confirmables(): number {
    return this.#confirmables?.size ?? 0
  }

  submit(confirmable: Confirmable, now: Instant): void {
    this.#confirmables ??= new Confirmables(this)
    this.#confirmables.submit(confirmable, now)
  }

  finish(confirmable: Confirmable, now: Instant): void {
    this.#confirmables?.finish(confirmable, now)
    if (this.#confirmables?.isEmpty === true) this.#confirmables = undefined
  }

  findConfirmable(messageId: number): Confirmable | undefined {
    return this.#confirmables?.find(messageId)
  }

  refresh(confirmable: Confirmable, now: Instant): void {
    this.#confirmables?.refresh(confirmable, now)
  }

  /** For messages that start from now on; those underway keep theirs. */
  changeParameters(parameters: TransmissionParameters, now: Instant): void {
    this.times = deriveTimes(parameters)
    this.parameters = parameters
    this.#confirmables?.pump(now)
  }

  nextTimeout(): Instant | undefined {
    return this.#confirmables?.nextTimeout()
  }

  handleTimeout(now: Instant): void {
    this.#confirmables?.handleTimeout(now)
    if (this.#confirmables?.isEmpty === true) this.#confirmables = undefined
  }
}
