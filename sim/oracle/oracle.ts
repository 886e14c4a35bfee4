import {
  ipAddressFromBytes,
  ipAddressToBytes,
  mergePrefixes,
  prefixContains,
  prefixOf,
  prefixesOverlap
} from '@breakwater/core'
import type { Instant, IpPrefix } from '@breakwater/core'
import type { ProtectionRequest } from '@breakwater/dots'
import type { Expectation, Facts, Heap, ReachedPrefix } from './facts.ts'
import { halvesOf } from './halves.ts'

/**
 * What must become of a target, worked out without the code under test, and differently: prefixes are halved until no border
 * lies inside, and then every rule of RFC 9284 is asked about each piece by looking at all facts one after the other.
 */
export class Oracle {
  readonly #factsAt: (at: Instant) => Facts
  readonly #known = new WeakMap<Facts, Map<string, readonly Piece[]>>()
  readonly #expected = new WeakMap<Facts, WeakMap<ProtectionRequest, Expectation>>()

  /** @param factsAt What is true of the site at a moment; the same object as long as nothing changes. */
  constructor(factsAt: (at: Instant) => Facts) {
    this.#factsAt = factsAt
  }

  /** Whether a server may hear of all of a prefix. */
  mayHear(server: number, prefix: IpPrefix, at: Instant): boolean {
    const facts = this.#factsAt(at)
    return this.#pieces(facts, prefix).every(({ heaps }) => heaps.some((heap) => heap.includes(server)))
  }

  /**
   * What stands by for the loss of the signal with one of each of these heaps, of what was preconfigured for a domain or
   * another attachment of its provider: only what is its own, and never because of a consent.
   */
  standsBy(domain: number, at: Instant): Expectation['asked'] {
    const facts = { ...this.#factsAt(at), consents: [] }
    const own = facts.standing.filter(({ domains }) => domains.includes(domain))
    const pieces = own.flatMap(({ prefix }) => halvedAt(prefix, facts.borders))
    return mergedHeaps(pieces.map((piece) => judge(facts, piece)))
  }

  /** All servers that stand in for one another where some targets are concerned; one alone where nobody stands in for it. */
  heaps(at: Instant): readonly Heap[] {
    const { classes, services, consents } = this.#factsAt(at)
    // Who attaches the site to the provider that assigned a prefix hears of it without a consent (RFC 9284 §5.4).
    const needed = consents.filter(({ prefix, to }) =>
      classes.some((each) => prefixesOverlap(each.prefix, prefix) && !each.entitled.includes(to))
    )
    return [...classes, ...services, ...needed].flatMap((each) => each.heaps)
  }

  /** Who is asked about what of a request. */
  expect(request: ProtectionRequest, at: Instant): Expectation {
    const facts = this.#factsAt(at)
    const known = this.#expected.get(facts) ?? new WeakMap<ProtectionRequest, Expectation>()
    this.#expected.set(facts, known)
    const found = known.get(request) ?? this.#work(facts, request)
    known.set(request, found)
    return found
  }

  #work(facts: Facts, { target, allowPartial }: ProtectionRequest): Expectation {
    const { outside, isWaiting } = this.#goOutside(facts, target.prefixes)
    const pieces = outside.flatMap((prefix) => this.#pieces(facts, prefix))
    const isForeign = pieces.some((each) => each.isForeign)
    const isRefused = isForeign && !allowPartial
    const kept = isRefused ? [] : pieces.filter((each) => !each.isForeign && !each.isFiltered)
    return {
      asked: mergedHeaps(kept),
      isForeign,
      isRefused,
      isFiltered: pieces.some((each) => each.isFiltered),
      isWaiting,
      uncovered: [...new Set(kept.flatMap(({ uncovered }) => uncovered))]
    }
  }

  /** RFC 9132 §3: what is internal is translated by each domain that can, before anybody hears of it. */
  #goOutside(facts: Facts, prefixes: readonly IpPrefix[]): { outside: IpPrefix[]; isWaiting: boolean } {
    const borders = [...facts.internal, ...facts.translations.map(({ internal }) => internal)]
    const outside: IpPrefix[] = []
    let isWaiting = false
    for (const piece of prefixes.flatMap((prefix) => halvedAt(prefix, borders))) {
      if (!borders.some((border) => prefixContains(border, piece))) {
        outside.push(piece)
        continue
      }
      const own = longestOfEachDomain(facts.translations, piece)
      isWaiting ||= own.length === 0
      for (const { internal, external } of own) outside.push(movedInto(external, internal, piece))
    }
    return { outside, isWaiting }
  }

  #pieces(facts: Facts, prefix: IpPrefix): readonly Piece[] {
    const known = this.#known.get(facts) ?? new Map<string, readonly Piece[]>()
    this.#known.set(facts, known)
    const key = keyOf(prefix)
    const found = known.get(key) ?? halvedAt(prefix, facts.borders).map((piece) => judge(facts, piece))
    known.set(key, found)
    return found
  }
}

/** A prefix with no border inside. */
interface Piece extends ReachedPrefix {
  readonly isForeign: boolean
  readonly isFiltered: boolean
  readonly uncovered: readonly number[]
}

function judge(facts: Facts, prefix: IpPrefix): Piece {
  const own = longest(facts.classes, prefix)
  const nothing = { prefix, heaps: [], uncovered: [], isFiltered: false }
  if (own === undefined) return { ...nothing, isForeign: true }
  const { filters, services, consents } = facts
  if (filters.length > 0 && !filters.some((filter) => prefixContains(filter, prefix)))
    return { ...nothing, isForeign: false, isFiltered: true }
  // RFC 9284 §4: a service hears of what is the site's own and on its list.
  const listed = services.filter(({ protects }) => protects.some((each) => prefixContains(each, prefix)))
  const asked = own.isProviderIndependent ? listed.flatMap(({ heaps }) => heaps) : []
  // RFC 9284 §6: of what a provider assigned others hear when every owner consents, and a service only of its list.
  const consented = own.isProviderIndependent
    ? []
    : consents.filter(
        ({ to, needsList }) =>
          !own.entitled.includes(to) && (!needsList || listed.some(({ domain }) => domain === to))
      )
  const holding = consented.filter((each) => prefixContains(each.prefix, prefix))
  const to = [...new Set(holding.map((each) => each.to))].filter((domain) =>
    own.owners.every((owner) => holding.some((each) => each.of === owner && each.to === domain))
  )
  const extra = to.flatMap((domain) => holding.find((each) => each.to === domain)?.heaps ?? [])
  const heaps = [...own.heaps, ...asked, ...extra]
  return { prefix, heaps, isForeign: false, isFiltered: false, uncovered: own.uncovered }
}

/** One entry for each heap of servers, with all that one of them hears of. */
function mergedHeaps(pieces: readonly ReachedPrefix[]): Expectation['asked'] {
  const merged = new Map<string, { servers: Heap; prefixes: IpPrefix[] }>()
  for (const { prefix, heaps } of pieces)
    for (const servers of heaps) {
      const key = servers.join(' ')
      const known = merged.get(key)
      if (known === undefined) merged.set(key, { servers, prefixes: [prefix] })
      else known.prefixes.push(prefix)
    }
  return [...merged.values()].map(({ servers, prefixes }) => ({ servers, prefixes: mergePrefixes(prefixes) }))
}

function longest<Entry extends { readonly prefix: IpPrefix }>(
  entries: readonly Entry[],
  prefix: IpPrefix
): Entry | undefined {
  let found: Entry | undefined
  for (const entry of entries)
    if (prefixContains(entry.prefix, prefix) && entry.prefix.length > (found?.prefix.length ?? -1))
      found = entry
  return found
}

function longestOfEachDomain(all: Facts['translations'], piece: IpPrefix): Facts['translations'] {
  const domains = [...new Set(all.map(({ domain }) => domain))]
  return domains.flatMap((domain) => {
    const own = all.filter((each) => each.domain === domain)
    const found = longest(
      own.map((translation) => ({ prefix: translation.internal, translation })),
      piece
    )
    return found === undefined ? [] : [found.translation]
  })
}

/** The same place in `external` that a piece has in `internal`; where lengths differ, all are behind one host. */
function movedInto(external: IpPrefix, internal: IpPrefix, piece: IpPrefix): IpPrefix {
  if (external.length !== internal.length) return external
  const bytes = ipAddressToBytes(piece.address)
  const outer = ipAddressToBytes(external.address)
  for (let bit = 0; bit < external.length; bit++) {
    const mask = 0x80 >> (bit & 7)
    const index = bit >> 3
    bytes[index] = ((bytes[index] ?? 0) & ~mask) | ((outer[index] ?? 0) & mask)
  }
  return prefixOf(ipAddressFromBytes(bytes), piece.length)
}

/** Halves a prefix until no border lies inside a piece. */
export function halvedAt(prefix: IpPrefix, borders: readonly IpPrefix[]): IpPrefix[] {
  const inside = borders.filter((border) => border.length > prefix.length && prefixContains(prefix, border))
  return inside.length === 0 ? [prefix] : halvesOf(prefix).flatMap((half) => halvedAt(half, inside))
}

function keyOf({ address: { family, a, b, c, d }, length }: IpPrefix): string {
  return `${family} ${a} ${b} ${c} ${d}/${length}`
}
