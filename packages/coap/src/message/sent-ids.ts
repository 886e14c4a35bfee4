/** Copies and notifications of one exchange whose Reset is still understood; older ones count as lost on the way. */
const KEPT = 8

/** Who sent a Non-confirmable message, by Message ID: a Reset names nothing else (RFC 7252 §4.4). */
export class SentIds<Sender> {
  readonly #senders = new Map<number, Sender>()
  readonly #ids = new Map<Sender, number[]>()

  add(messageId: number, sender: Sender): void {
    let ids = this.#ids.get(sender)
    if (ids === undefined) this.#ids.set(sender, (ids = []))
    ids.push(messageId)
    this.#senders.set(messageId, sender)
    if (ids.length > KEPT) this.#release(sender, ids.shift())
  }

  find(messageId: number): Sender | undefined {
    return this.#senders.get(messageId)
  }

  forget(sender: Sender): void {
    for (const id of this.#ids.get(sender) ?? []) this.#release(sender, id)
    this.#ids.delete(sender)
  }

  /** The id may be another sender's by now: ids come round again. */
  #release(sender: Sender, messageId: number | undefined): void {
    if (messageId !== undefined && this.#senders.get(messageId) === sender) this.#senders.delete(messageId)
  }
}
