import { BreakwaterError, Milliseconds, after, earlier } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { ProtectionId } from '../../domain/identifier.ts'
import type { StoredRecord } from '../../domain/record-store.ts'
import type { ClientEvent, ClientOutput } from '../client-io.ts'
import type { Protection } from '../protection.ts'
import type { RememberedName } from './name-memory.ts'
import { decodeName, nameChange } from './name-record.ts'
import type { NameOutcome } from './name-outcome.ts'
import type { NameStanding } from './name-standing.ts'
import { NameWatch } from './name-watch.ts'
import type { NameWatchInput } from './name-watch.ts'
import type { Wanted } from './place-wanted.ts'

/** Placing again costs as much for one name as for a thousand: what comes within this time is placed together. */
const GATHERING: Duration = Milliseconds(100)

/** The names of a client's protections: connects their watch to what the client says, and notes what is to be placed again. */
export class ProtectionNames {
  readonly #watch = new NameWatch()
  readonly #emit: (output: ClientOutput) => void
  readonly #changed = new Set<ProtectionId>()
  /** The first of many changes is told at once, the others from here on. */
  #notBefore: Instant | undefined

  constructor(emit: (output: ClientOutput) => void) {
    this.#emit = emit
  }

  /** These are the names of a protection now. */
  hold(protection: ProtectionId, names: readonly string[], now: Instant): void {
    this.#tell({ kind: 'hold', protection, names }, now)
  }

  /** The site has other aliases, which stand for other names. */
  holdAll(protections: Iterable<Protection>, namesOf: (wanted: Wanted) => string[], now: Instant): void {
    for (const protection of protections) {
      const { request, phase } = protection
      if (request.named === undefined || phase !== 'live') continue
      protection.names = namesOf(request)
      this.hold(request.id, protection.names, now)
    }
  }

  answered(question: number, outcome: NameOutcome, now: Instant): void {
    this.#tell({ kind: 'answered', question, outcome }, now)
  }

  /** What an earlier life knew; when all protections hold their names. */
  restore(
    records: readonly StoredRecord[],
    onDamaged: (key: string, reason: string) => void,
    now: Instant
  ): void {
    const names = new Map<string, RememberedName>()
    for (const { key, value } of records)
      try {
        names.set(key, decodeName(value))
      } catch (error) {
        if (!(error instanceof BreakwaterError)) throw error
        onDamaged(key, error.message)
      }
    this.#tell({ kind: 'remembered', names }, now)
  }

  stop(now: Instant): void {
    this.#tell({ kind: 'stop' }, now)
  }

  readonly standing = (name: string): NameStanding => this.#watch.standing(name)

  /** Protections whose names mean something else since this was asked last; none while more of them are gathered. */
  takeChanged(now: Instant): ReadonlySet<ProtectionId> {
    const changed = new Set<ProtectionId>()
    if (this.#changed.size === 0 || (this.#notBefore !== undefined && now < this.#notBefore)) return changed
    for (const id of this.#changed) changed.add(id)
    this.#changed.clear()
    this.#notBefore = after(now, GATHERING)
    return changed
  }

  nextTimeout(): Instant | undefined {
    const next = this.#watch.nextTimeout()
    return this.#changed.size === 0 ? next : earlier(next, this.#notBefore)
  }

  handleTimeout(now: Instant): void {
    this.#watch.handleTimeout(now)
    this.#drain()
  }

  #tell(input: NameWatchInput, now: Instant): void {
    this.#watch.handle(input, now)
    this.#drain()
  }

  #drain(): void {
    for (let output = this.#watch.poll(); output !== undefined; output = this.#watch.poll())
      switch (output.kind) {
        case 'ask':
          this.#emit({ kind: 'resolve-target', question: output.question, name: output.name })
          break
        case 'remember':
          this.#emit({ kind: 'store', change: nameChange(output.name, output.record) })
          break
        case 'changed':
          for (const id of output.protections) this.#changed.add(id)
          this.#emit({
            kind: 'event',
            event: { kind: 'target-name', standing: output.standing } satisfies ClientEvent
          })
      }
  }
}
