import { Seconds, after, mergePrefixes, subtractPrefixes } from '@breakwater/core'
import type { Duration, Instant } from '@breakwater/core'
import type { Target } from '../../domain/target.ts'
import { compileRequests, targetKey } from '../../multihoming/compiler.ts'
import type { CompiledRequest, Want } from '../../multihoming/compiler.ts'
import { OverlapIndex } from '../../multihoming/overlap-index.ts'
import { mayBeTriggered } from './request-entry.ts'
import type { RequestEntry } from './request-entry.ts'
import { isInForce } from './request-state.ts'

/** How often it is looked whether what may have been triggered is over. */
const LOOK_SPACING: Duration = Seconds(30)

/** Something is wanted elsewhere. See `AssociationInput`. */
export interface Handover {
  readonly holdUntil?: Instant | undefined
  readonly keepsTriggered?: boolean
}

/**
 * Requests in force of which something has moved to other servers (RFC 9284 §5.1). They stay as they are until that is in
 * force there, for whatever would take their place deletes them as a whole (RFC 9132 §4.4.1.3). Nothing is sent for them.
 */
export class Holds {
  readonly #held = new Set<RequestEntry>()

  /**
   * What is in force stays until then, where something of it is not wanted any more: see `among`.
   * @param keepsTriggered What was preconfigured stays until the server says that it only stands by. Default: no longer than
   * the rest.
   */
  begin(entries: Iterable<RequestEntry>, until: Instant, keepsTriggered = false): void {
    for (const entry of entries) {
      const isBeingReplaced = entry.replacedBy !== undefined && entry.heldUntil === undefined
      if (!isInForce(entry.state) || isBeingReplaced) continue
      entry.heldUntil = until
      if (keepsTriggered && entry.trigger === 'signal-loss') entry.triggered ??= 'unknown'
      this.#held.add(entry)
    }
  }

  /** Those of them that stay although something of them is not wanted any more. */
  among(entries: readonly RequestEntry[], wants: readonly Want[], now: Instant): readonly RequestEntry[] {
    const held = entries.filter((entry) => this.#held.has(entry) && isHeld(entry, now))
    if (held.length === 0) return held
    const index = new OverlapIndex(wants)
    return held.filter(({ target }) => !isWanted(target, index))
  }

  /** Lets go of those whose time is over, or that protect nothing any more. @returns whether there were any. */
  end(entries: ReadonlySet<RequestEntry>, now: Instant): boolean {
    let hasEnded = false
    for (const entry of this.#held) {
      if (isHeld(entry, now) && entries.has(entry)) {
        if (entry.heldUntil !== undefined && entry.heldUntil <= now)
          entry.heldUntil = after(now, LOOK_SPACING)
        continue
      }
      this.#held.delete(entry)
      hasEnded ||= entry.heldUntil !== undefined
      entry.heldUntil = undefined
      entry.triggered = undefined
    }
    return hasEnded
  }
}

function isHeld(entry: RequestEntry, now: Instant): boolean {
  const { heldUntil, state } = entry
  return heldUntil !== undefined && isInForce(state) && (heldUntil > now || mayBeTriggered(entry))
}

/** What is wanted, and which of the requests that are held are left untouched by it. */
export interface CompiledAround {
  readonly wanted: readonly CompiledRequest[]
  readonly staying: ReadonlySet<RequestEntry>
}

/**
 * Compiles what is wanted as if what is held were wanted, too: what they protect is not asked for again. One that this would
 * change, because something else is wanted that overlaps with it, is not held: its successor would name what has moved.
 */
export function compileAround(
  held: readonly RequestEntry[],
  wants: readonly Want[],
  known: readonly Target[],
  pathMtu: number
): CompiledAround {
  const also = held.flatMap(({ protections, target }) =>
    protections.map((protection): Want => ({ protection, target }))
  )
  const wanted = compileRequests([...wants, ...also], known, pathMtu)
  if (held.length === 0) return { wanted, staying: new Set() }
  const keys = new Set(wanted.map(({ target }) => targetKey(target)))
  const staying = held.filter(({ target }) => keys.has(targetKey(target)))
  return staying.length === held.length
    ? { wanted, staying: new Set(staying) }
    : compileAround(staying, wants, known, pathMtu)
}

function isWanted(target: Target, wants: OverlapIndex<Want>): boolean {
  const prefixes = mergePrefixes(wants.overlapping(target).flatMap((want) => want.target.prefixes))
  return target.prefixes.every((prefix) => subtractPrefixes(prefix, prefixes).length === 0)
}
