import { Seconds, after, formatIpPrefix } from '@breakwater/core'
import type { Duration, Instant, IpPrefix } from '@breakwater/core'
import type { MitigationSnapshot, ProtectionRequest, Target } from '@breakwater/dots'
import { isAboutMitigation } from '../world/ledger.ts'
import type { Traffic } from '../world/traffic.ts'
import type { SeenMitigationRequest } from '../world/wire.ts'
import { isCovered, overlap } from './coverage.ts'
import type { Invariant, MakeInvariant, Report, WorldView } from './invariant.ts'

/**
 * No request of ours deletes a target that another live protection needs (RFC 9132 §4.4.1.3: a newer request deletes
 * older ones of the same client with common addresses). Looked at when a request arrives: what the operator wanted
 * before it was sent, and what is in force for it by this life of the client, must still be so after it.
 */
export const neededTarget: MakeInvariant = (view) => new NeededTarget(view)

/** The TCP of these worlds tries again after so long at the latest. */
const LONGEST_RETRANSMISSION: Duration = Seconds(120)

class NeededTarget implements Invariant {
  readonly name = 'needed-target'
  readonly #view: WorldView
  /** When each request was first sent: what was wanted later it could not know of. */
  readonly #sentAt = new Map<string, Instant>()

  constructor(view: WorldView) {
    this.#view = view
  }

  traffic({ when, direction, site, provider, seen, entry }: Traffic, report: Report): void {
    if (direction !== 'to-server' || seen === undefined || provider === undefined) return
    if (!isAboutMitigation(seen) || seen.kind === 'get') return
    // RFC 9132 §4.4.1.3: a preconfigured request deletes only its own kind.
    if (seen.kind === 'put' && seen.trigger === 'signal-loss') return
    const key = `${site} ${provider} ${seen.token}`
    if (when === 'sent') {
      if (!this.#sentAt.has(key)) this.#sentAt.set(key, entry.at)
      return
    }
    if (entry.transport === 'tcp' && this.#mayBeOld(site, this.#sentAt.get(key) ?? entry.at)) return
    const standing = this.#standing(site, provider)
    // What is at the server and waits for its disk counts for later requests: they are taken in order.
    const left = [...effectOf(seen, standing), ...(seen.kind === 'put' ? this.#pending(site, provider) : [])]
    if (standing.every((each) => left.includes(each.target))) return
    const before = standing.map(({ target }) => target)
    for (const [need, part] of this.#needs(site, provider, this.#sentAt.get(key) ?? entry.at))
      if (isCovered(part, need.target, before) && !isCovered(part, need.target, left))
        report(
          `${seen.kind.toUpperCase()} mid=${seen.mitigationId} of site ${site} at provider ${provider} takes away ` +
            `${formatIpPrefix(part)}, which ${need.id} needs`
        )
  }

  /**
   * What a client wrote on a stream while its provider was gone leaves when the address is back, ahead of what it asks for
   * then; nobody can take it back.
   */
  #mayBeOld(site: number, sentAt: Instant): boolean {
    const toldAt = this.#view.customers[site]?.toldAt
    return toldAt !== undefined && after(toldAt, LONGEST_RETRANSMISSION) > sentAt
  }

  /** What this life of the client has in force. */
  #standing(site: number, provider: number): MitigationSnapshot[] {
    const own = this.#cuidAt(site, provider)
    const life = this.#view.customers[site]?.life
    return (this.#view.providers[provider]?.mitigations() ?? []).filter(({ cuid, mitigationId, state }) => {
      if (cuid !== own || state === 'terminating') return false
      const known = this.#view.ledger.find(provider, `${cuid}/${mitigationId}`)
      return (
        known.length > 0 &&
        known.every((each) => each.trigger === 'immediate' && each.life === life && !each.isDoubtful)
      )
    })
  }

  #cuidAt(site: number, provider: number): string | undefined {
    const { clients, servers } = this.#view.layout
    return clients[site]?.domains.find(({ number }) => number === servers[provider]?.home)?.cuid
  }

  /** What this life of the client asked, and the server has neither answered nor been asked to give up. */
  #pending(site: number, provider: number): Target[] {
    const life = this.#view.customers[site]?.life
    return this.#view.ledger
      .at(provider)
      .filter((each) => each.site === site && each.life === life && each.promisedUntil === undefined)
      .filter(({ trigger }) => trigger === 'immediate')
      .filter(({ deleteHeardAt, heirs }) => deleteHeardAt === undefined && heirs.size === 0)
      .map(({ target }) => target)
  }

  /** Prefixes that protections wanted of this provider, and have wanted since before `moment`. */
  *#needs(
    site: number,
    provider: number,
    moment: Instant
  ): Iterable<readonly [need: ProtectionRequest, part: IpPrefix]> {
    const customer = this.#view.customers[site]
    if (customer === undefined) return
    const { servers } = this.#view.layout
    for (const request of customer.wishes.wanted.values()) {
      if ((customer.wishes.wantedSince.get(request.id) ?? moment) >= moment) continue
      for (const asked of customer.wishes.expect(request, moment)?.asked ?? []) {
        // Of servers that stand in for one another the client may change to another one.
        const isChoice = new Set(asked.servers.map((each) => servers[each]?.standsFor)).size > 1
        if (isChoice || !asked.servers.includes(provider)) continue
        for (const part of asked.prefixes) yield [request, part]
      }
    }
  }
}

/** What would stand after the request, going by RFC 9132 §4.4.1.3 and §4.4.4. */
function effectOf(seen: SeenMitigationRequest, standing: readonly MitigationSnapshot[]): Target[] {
  const others = standing.filter(({ mitigationId }) => mitigationId !== seen.mitigationId)
  if (seen.kind === 'delete') return others.map(({ target }) => target)
  const { target, mitigationId } = seen
  if (target === undefined || mitigationId === undefined) return standing.map((each) => each.target)
  const overlapping = others.filter((each) => overlap(each.target, target))
  // It gets a 4.09 and changes nothing.
  if (overlapping.some((each) => each.mitigationId > mitigationId)) return standing.map((each) => each.target)
  return [...others.filter((each) => !overlapping.includes(each)).map((each) => each.target), target]
}
