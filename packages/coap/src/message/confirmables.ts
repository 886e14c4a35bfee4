import { between, earlier, type Entropy, type Instant } from '@breakwater/core'
import type { CoapMessage } from '../message.ts'
import type { TransmissionParameters } from '../session.ts'
import { aged } from './max-age.ts'
import type { DerivedTimes } from './parameters.ts'
import type { MessageIds } from './message-ids.ts'
import { Retransmission } from './retransmission.ts'
import { stamp } from './stamp.ts'

/** Whose message it is; told how it ends. */
export interface ConfirmableOwner {
  /** An Acknowledgement came. The owner calls `finish` if it is content with it. */
  acknowledged(message: CoapMessage, now: Instant): void
  /** A Reset came; the transmission has ended. */
  rejected(now: Instant): void
  /** Nobody answered the last attempt; the transmission has ended. */
  timedOut(now: Instant): void
}

/** One outgoing Confirmable message. */
export class Confirmable {
  readonly owner: ConfirmableOwner
  /** The encoded message; its Message ID counts from the first transmission on. */
  bytes: Uint8Array
  /** What goes out instead when the present attempt times out (RFC 7641 §4.5.2). */
  successor: Uint8Array | undefined
  /** Since when `bytes`, and since when `successor`, say what is true: their Max-Age counts from there. */
  composedAt: Instant
  succeededAt: Instant | undefined
  /** Undefined while it waits for its turn. */
  underway: Retransmission | undefined
  /** All Message IDs that it has been sent with: more than one after a successor took over. */
  readonly messageIds: number[] = []

  constructor(owner: ConfirmableOwner, bytes: Uint8Array, composedAt: Instant) {
    this.owner = owner
    this.bytes = bytes
    this.composedAt = composedAt
  }
}

/** What `Confirmables` needs of its session. */
export interface ConfirmableContext {
  readonly parameters: TransmissionParameters
  readonly times: DerivedTimes
  readonly entropy: Entropy
  readonly messageIds: MessageIds
  transmit(bytes: Uint8Array): void
}

/** Confirmable messages on their way: at most NSTART (RFC 7252 §4.7), the others wait in order. */
export class Confirmables {
  readonly #context: ConfirmableContext
  readonly #underway = new Set<Confirmable>()
  readonly #byId = new Map<number, Confirmable>()
  #waiting: Confirmable[] = []
  /** Set while no Message ID is free. */
  #idsAt: Instant | undefined

  constructor(context: ConfirmableContext) {
    this.#context = context
  }

  get isEmpty(): boolean {
    return this.#underway.size === 0 && this.#waiting.length === 0
  }

  /** Underway or waiting. */
  get size(): number {
    return this.#underway.size + this.#waiting.length
  }

  /** The message that was sent with this Message ID and has not ended. */
  find(messageId: number): Confirmable | undefined {
    return this.#byId.get(messageId)
  }

  /** Sends a message as soon as NSTART allows. */
  submit(confirmable: Confirmable, now: Instant): void {
    this.#waiting.push(confirmable)
    this.pump(now)
  }

  /** Ends a transmission without a word to its owner, and lets the next one start. Harmless when it has ended. */
  finish(confirmable: Confirmable, now: Instant): void {
    this.#forget(confirmable)
    this.pump(now)
  }

  /** Starts what may start: also to be called when NSTART has changed. */
  pump(now: Instant): void {
    this.#idsAt = undefined
    while (this.#underway.size < this.#context.parameters.nstart) {
      const next = this.#waiting[0]
      if (next === undefined) return
      if (!this.#identify(next, now)) return
      this.#waiting.shift()
      next.underway = new Retransmission(this.#context.parameters, this.#context.entropy, now)
      this.#underway.add(next)
      this.#transmit(next, now)
    }
  }

  /** The peer lives: what it acknowledged was superseded, so the transmission goes on as if new (RFC 7641 §4.5.2). */
  refresh(confirmable: Confirmable, now: Instant): void {
    if (confirmable.underway === undefined) return
    confirmable.underway = new Retransmission(this.#context.parameters, this.#context.entropy, now)
  }

  nextTimeout(): Instant | undefined {
    let next = this.#idsAt
    for (const { underway } of this.#underway) next = earlier(next, underway?.dueAt)
    return next
  }

  handleTimeout(now: Instant): void {
    for (const confirmable of this.#underway) this.#step(confirmable, now)
    if (this.#idsAt !== undefined && this.#idsAt <= now) this.pump(now)
  }

  #step(confirmable: Confirmable, now: Instant): void {
    const step = confirmable.underway?.step(now) ?? 'wait'
    switch (step) {
      case 'wait':
        return
      case 'retransmit':
        this.#succeed(confirmable, now)
        this.#transmit(confirmable, now)
        return
      case 'give-up':
        this.#forget(confirmable)
        confirmable.owner.timedOut(now)
        this.pump(now)
    }
  }

  /** RFC 7641 §4.5.2: the successor gets a Message ID of its own, and keeps timer and counter. */
  #succeed(confirmable: Confirmable, now: Instant): void {
    const bytes = confirmable.successor
    if (bytes === undefined) return
    const before = confirmable.bytes
    confirmable.bytes = bytes
    if (!this.#identify(confirmable, now)) {
      confirmable.bytes = before
      return
    }
    confirmable.successor = undefined
    confirmable.composedAt = confirmable.succeededAt ?? now
  }

  #transmit({ bytes, composedAt }: Confirmable, now: Instant): void {
    this.#context.transmit(aged(bytes, between(composedAt, now)))
  }

  #identify(confirmable: Confirmable, now: Instant): boolean {
    const { messageIds, times } = this.#context
    const id = messageIds.allocate(now, times.exchangeLifetime)
    if (id === undefined) {
      this.#idsAt = messageIds.availableAt(now, times.exchangeLifetime)
      return false
    }
    stamp(confirmable.bytes, 'confirmable', id)
    confirmable.messageIds.push(id)
    this.#byId.set(id, confirmable)
    return true
  }

  #forget(confirmable: Confirmable): void {
    for (const id of confirmable.messageIds) this.#byId.delete(id)
    confirmable.underway = undefined
    if (!this.#underway.delete(confirmable))
      this.#waiting = this.#waiting.filter((other) => other !== confirmable)
  }
}
