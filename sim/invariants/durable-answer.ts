import { Code } from '@breakwater/coap'
import { Seconds, after } from '@breakwater/core'
import type { Traffic } from '../world/traffic.ts'
import type { SeenMitigationRequest } from '../world/wire.ts'
import { MITIGATIONS } from '../world/provider.ts'
import { isAboutMitigation } from '../world/ledger.ts'
import type { LedgerEntry } from '../world/ledger.ts'
import type { Invariant, MakeInvariant, Report, WorldView } from './invariant.ts'

/**
 * An acknowledged mitigation survives any crash: when a 2.01 or 2.04 leaves, its record is on the disk; and until its
 * lifetime is over, every server that is up has it. (A record that the disk damaged is reported by its checksum and
 * cannot be kept; the client asks for it anew.)
 */
export const durableAnswer: MakeInvariant = (view) => new DurableAnswer(view)

class DurableAnswer implements Invariant {
  readonly name = 'durable-answer'
  readonly #view: WorldView
  readonly #requests = new Map<string, SeenMitigationRequest>()

  constructor(view: WorldView) {
    this.#view = view
  }

  traffic({ when, direction, site, provider, seen, entry }: Traffic, report: Report): void {
    if (when !== 'sent' || seen === undefined || provider === undefined) return
    const key = `${site} ${provider} ${seen.token}`
    if (direction === 'to-server') {
      if (isAboutMitigation(seen) && seen.kind === 'put') this.#requests.set(key, seen)
      return
    }
    if (seen.kind !== 'answer' || (seen.code !== Code.created && seen.code !== Code.changed)) return
    const request = this.#requests.get(key)
    if (request?.mitigationId === undefined) return
    // Once: a copy of the answer may be sent when the mitigation is long over.
    this.#requests.delete(key)
    const { disk } = this.#view.providers[provider] ?? {}
    const record = `${request.cuid}/${request.mitigationId}`
    // A stream may let an answer go when what it promised is over.
    const known = this.#view.ledger.find(provider, record)
    if (entry.transport === 'tcp' && !known.some((each) => this.#isPromised(each))) return
    if (disk?.has(MITIGATIONS, record) === false)
      report(`provider ${provider} acknowledged ${record} before it was on the disk`)
  }

  sample(report: Report): void {
    for (const { number, server, disk } of this.#view.providers) {
      if (server === undefined) continue
      const promised = this.#view.ledger.at(number).filter((entry) => this.#isPromised(entry))
      if (promised.length === 0) continue
      const there = new Set(server.mitigations().map(({ cuid, mitigationId }) => `${cuid}/${mitigationId}`))
      for (const { cuid, mitigationId } of promised) {
        const record = `${cuid}/${mitigationId}`
        if (disk.wasDamaged(record) || there.has(record)) continue
        report(`provider ${number} lost ${record}, which it acknowledged`)
      }
    }
  }

  #isPromised({ promisedUntil, deleteHeardAt, heirs }: LedgerEntry): boolean {
    if (promisedUntil === undefined || deleteHeardAt !== undefined || heirs.size > 0) return false
    return promisedUntil > after(this.#view.clock.now(), Seconds(2))
  }
}
