import { after, fromHex, Milliseconds, Minutes, TICKET_KEY_BYTES, toHex } from '@breakwater/core'
import type { Clock, Duration, Entropy, Log, ScheduledCall } from '@breakwater/core'
import { readSecretFile, writeSecretFile } from '../secret-file.ts'

/** RFC 9325 §3.4: changed about once a week; a key opens for as long again after it has sealed. */
const sealingTime: Duration = Minutes(84 * 60)
const openingTime: Duration = Minutes(2 * 84 * 60)

interface TicketKey {
  readonly bytes: Uint8Array
  /** By the calendar. */
  readonly madeAtMs: number
}

export interface TicketKeyOptions {
  readonly path: string
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
}

/**
 * The keys of a server's session tickets, in a file for our own account only: clients resume with the server that comes
 * after this one, too. Trouble with the file is logged and nothing more: without it, clients come by full handshakes.
 */
export class TicketKeys {
  readonly #options: TicketKeyOptions
  #keys: readonly TicketKey[]
  #onChange: ((keys: readonly Uint8Array[]) => void) | undefined
  #renewal: ScheduledCall | undefined
  #writing: Promise<void> = Promise.resolve()

  private constructor(options: TicketKeyOptions, keys: readonly TicketKey[]) {
    this.#options = options
    this.#keys = keys
    this.#renewWhenDue()
  }

  static async open(options: TicketKeyOptions): Promise<TicketKeys> {
    return new TicketKeys(options, await readKeys(options))
  }

  /** The one that seals, then those that only open. */
  get current(): readonly Uint8Array[] {
    return this.#keys.map(({ bytes }) => bytes)
  }

  /** Calls `act` with all keys whenever they change. */
  onChange(act: (keys: readonly Uint8Array[]) => void): void {
    this.#onChange = act
  }

  /** Ends the rotation; resolves when the file is as it should be. */
  async close(): Promise<void> {
    this.#renewal?.cancel()
    await this.#writing
  }

  #renewWhenDue(): void {
    const { clock, entropy } = this.#options
    const now = clock.wallClock()
    const kept = this.#keys.filter(({ madeAtMs }) => isWithin(now - madeAtMs, openingTime))
    const [newest] = kept
    if (newest === undefined || !isWithin(now - newest.madeAtMs, sealingTime)) {
      this.#keys = [{ bytes: entropy.bytes(TICKET_KEY_BYTES), madeAtMs: now }, ...kept].slice(0, 3)
      this.#write()
      this.#onChange?.(this.current)
    }
    const left = Milliseconds(sealingTime - (now - (this.#keys[0]?.madeAtMs ?? now)))
    this.#renewal = clock.schedule(after(clock.now(), left), () => this.#renewWhenDue())
  }

  #write(): void {
    const { path, log } = this.#options
    const text = this.#keys.map(({ bytes, madeAtMs }) => `${madeAtMs} ${toHex(bytes)}\n`).join('')
    this.#writing = this.#writing
      .then(() => writeSecretFile(path, text))
      .catch((error: unknown) => log.error('tickets.not_stored', { path, reason: String(error) }))
  }
}

/** A key from the future is as doubtful as one that is too old: the calendar was wrong then or is wrong now. */
function isWithin(ageMs: number, limit: Duration): boolean {
  return ageMs >= 0 && ageMs < limit
}

async function readKeys({ path, log }: TicketKeyOptions): Promise<readonly TicketKey[]> {
  try {
    const lines = ((await readSecretFile(path)) ?? '').split('\n').filter((line) => line !== '')
    return lines.map((line) => keyOf(line)).toSorted((a, b) => b.madeAtMs - a.madeAtMs)
  } catch (error) {
    log.error('tickets.unusable', { path, reason: String(error) })
    return []
  }
}

const keyLine = new RegExp(`^([0-9]{1,15}) ([0-9a-f]{${2 * TICKET_KEY_BYTES}})$`)

function keyOf(line: string): TicketKey {
  const [, madeAtMs, bytes] = keyLine.exec(line) ?? []
  // Not the line itself: it may be most of a key.
  if (madeAtMs === undefined || bytes === undefined) throw new Error('a line is no key')
  return { bytes: fromHex(bytes), madeAtMs: Number(madeAtMs) }
}
