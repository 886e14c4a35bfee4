import type { MitigationView } from '@breakwater/control'

/** Granted targets: `size` addresses from host `from` of the client's block. */
export interface Range {
  readonly from: number
  readonly size: 1 | 4
}

/** What a client may ask. */
export type Change =
  | { readonly kind: 'grant'; readonly mid: number; readonly range: Range; readonly lifetimeSeconds: number }
  | { readonly kind: 'withdraw'; readonly mid: number }

interface Grant {
  readonly range: Range
  readonly lifetimeSeconds: number
  /** The lifetime began between these moments of the calendar. */
  readonly fromMs: number
  readonly toMs: number
}

/** What a client has, by mid. */
export type Holding = ReadonlyMap<number, Grant>

interface Asked {
  readonly change: Change
  readonly askedAtMs: number
}

/** Whole seconds, and a calendar that is read at other moments than ours. */
const TOLERANCE_SECONDS = 2

/**
 * What one client was told, and what it asked without an answer so far. A server handles the requests of a client in their
 * order, so after a crash the first few of the unanswered are done, each as a whole, and the rest are not.
 */
export class Ledger {
  readonly #prefixOf: (range: Range) => string
  #held: Holding = new Map()
  #asked: Asked[] = []
  readonly #withdrawn = new Set<number>()

  constructor(prefixOf: (range: Range) => string) {
    this.#prefixOf = prefixOf
  }

  /** What the client has once all that it asked is done. */
  get expected(): Holding {
    return this.#asked.reduce((held, asked) => after(held, asked, Date.now()), this.#held)
  }

  get unanswered(): number {
    return this.#asked.length
  }

  /** @returns the code that a right server answers with. */
  ask(change: Change): string {
    const code = codeFor(this.expected, change)
    this.#asked.push({ change, askedAtMs: Date.now() })
    return code
  }

  /** The oldest of what was asked has been answered. */
  acknowledge(): void {
    const oldest = this.#asked.shift()
    if (oldest === undefined) throw new Error('an answer to nothing')
    this.#remember(oldest)
    this.#held = after(this.#held, oldest, Date.now())
  }

  /** Compares with what a server that was started again says, and takes that over; returns what is wrong. */
  settle(views: readonly MitigationView[]): string[] {
    const now = Date.now()
    let candidate = this.#held
    const candidates = [candidate]
    for (const asked of this.#asked) {
      this.#remember(asked)
      candidate = after(candidate, asked, now)
      candidates.push(candidate)
    }
    const faults = candidates.map((each) => this.#differences(each, views, now))
    const match = faults.findIndex((each) => each.length === 0)
    this.#held = candidates[Math.max(match, 0)] ?? new Map()
    this.#asked = []
    return match >= 0
      ? []
      : faults.map((each, done) => `with ${done} unanswered ones done: ${each.join('; ')}`)
  }

  #remember({ change }: Asked): void {
    if (change.kind === 'withdraw') this.#withdrawn.add(change.mid)
  }

  #differences(held: Holding, views: readonly MitigationView[], now: number): string[] {
    const live = new Map(
      views.filter(({ state }) => state !== 'terminating').map((view) => [view.mitigationId, view])
    )
    const ending = views
      .filter(({ state }) => state === 'terminating')
      .map(({ mitigationId }) => mitigationId)
    return [
      ...[...held.keys()].filter((mid) => !live.has(mid)).map((mid) => `mid ${mid} is lost`),
      ...[...live.keys()]
        .filter((mid) => !held.has(mid))
        .map((mid) => `mid ${mid} came back, or is half there`),
      ...ending
        .filter((mid) => !this.#withdrawn.has(mid))
        .map((mid) => `mid ${mid} ends, and nobody withdrew it`),
      ...[...held].flatMap(([mid, grant]) => this.#difference(mid, grant, live.get(mid), now))
    ]
  }

  #difference(mid: number, grant: Grant, view: MitigationView | undefined, now: number): string[] {
    if (view === undefined) return []
    const prefixes = view.target.prefixes.join()
    if (prefixes !== this.#prefixOf(grant.range)) return [`mid ${mid} is for ${prefixes}`]
    const left = view.remainingLifetimeSeconds
    const most = grant.lifetimeSeconds - (now - grant.toMs) / 1000 + TOLERANCE_SECONDS
    const least = grant.lifetimeSeconds - (now - grant.fromMs) / 1000 - TOLERANCE_SECONDS
    if (left >= least && left <= most) return []
    return [`mid ${mid} has ${left} s left, not ${Math.round(least)} to ${Math.round(most)}`]
  }
}

function overlaps(a: Range, b: Range): boolean {
  return a.from < b.from + b.size && b.from < a.from + a.size
}

function sameRange(a: Range, b: Range): boolean {
  return a.from === b.from && a.size === b.size
}

/** RFC 9132 §4.4.1.3 for one client: refresh, or override by a higher mid, or conflict with one. */
function codeFor(held: Holding, change: Change): '2.01' | '2.02' | '2.04' | '4.00' | '4.09' {
  if (change.kind === 'withdraw') return '2.02'
  const { mid, range } = change
  const existing = held.get(mid)
  if (existing !== undefined) return sameRange(existing.range, range) ? '2.04' : '4.00'
  return [...held].some(([other, grant]) => other > mid && overlaps(grant.range, range)) ? '4.09' : '2.01'
}

function after(held: Holding, { change, askedAtMs }: Asked, doneAtMs: number): Holding {
  const code = codeFor(held, change)
  if (code.startsWith('4')) return held
  const next = new Map(held)
  if (change.kind === 'withdraw') {
    next.delete(change.mid)
    return next
  }
  const { mid, range, lifetimeSeconds } = change
  for (const [other, grant] of held) if (other !== mid && overlaps(grant.range, range)) next.delete(other)
  next.set(mid, { range, lifetimeSeconds, fromMs: askedAtMs, toMs: doneAtMs })
  return next
}
