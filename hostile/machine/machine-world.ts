import { Seconds } from '@breakwater/core'
import type { ClientDomain, ServerEvent } from '@breakwater/dots'
import { prefix } from '@breakwater/testing'
import { expect } from 'vitest'
import {
  EXAMPLE,
  OTHER,
  ServerBed,
  certificate,
  cuid,
  only
} from '../../packages/dots/test/server/server-bed.ts'
import type { BedOptions } from '../../packages/dots/test/server/bed-options.ts'
import type { Peer, Seen } from '../../packages/dots/test/server/server-bed.ts'

/** Of the address space of `example`, where the attacker is at home, it has a part, too. */
export const RIVAL: ClientDomain = {
  name: 'rival',
  dnsNames: ['client.rival.net'],
  pskIdentities: [],
  prefixes: [prefix('192.0.2.128/25')]
}

export const honestCuid = cuid('honest')
const honestTarget = { targetPrefix: ['198.51.100.1/32'], lifetime: 3600 }

/** Longer than any lifetime that the server grants, and what comes after it. */
const LONG = Seconds(90_000)

/**
 * The machine of a server in virtual time. The attacker is a client in good standing (192.0.2.0/24), the honest one has a
 * mitigation of its own (198.51.100.0/24).
 */
export class MachineWorld {
  readonly bed: ServerBed
  readonly attacker: Peer
  readonly honest: Peer
  #answered = new Set<string>()

  constructor(policy: BedOptions['policy'] = {}) {
    this.bed = new ServerBed({ domains: [EXAMPLE, OTHER, RIVAL], policy })
    this.honest = this.bed.establish(certificate('client.other.net'))
    this.attacker = this.bed.establish()
    expect(this.codeOf(this.honest.put(1, honestTarget, honestCuid))).toBe('2.01')
  }

  /** Another session of the attacker, or of somebody else. */
  session(identity = 'client.example.net', transport: 'udp' | 'tcp' = 'udp'): Peer {
    const peer = this.bed.establish(certificate(identity), transport)
    this.#mine.push(peer)
    return peer
  }

  codeOf(seen: readonly Seen[]): string {
    const { code } = only(seen)
    this.#answered.add(code)
    return code
  }

  /** Codes of many answers, each once. */
  codes(...all: readonly (readonly Seen[])[]): string[] {
    return [...new Set(all.map((seen) => seen[0]?.code ?? 'silence'))].toSorted()
  }

  /** `cuid/mid` of each filter that is in force. */
  plans(): string[] {
    return this.bed.plans().map((plan) => plan.split('/').slice(0, 2).join('/'))
  }

  counter(name: string): number {
    return this.bed.machine.counters.value(name)
  }

  events(kind: ServerEvent['kind']): number {
    return this.bed.events.filter((event) => event.kind === kind).length
  }

  /** The mitigation of the honest client is as it was. */
  expectHonestUntouched(): void {
    expect(this.codes(this.honest.get(1, [], honestCuid))).toEqual(['2.05'])
    expect(this.plans().filter((plan) => plan.startsWith('honest/'))).toEqual(['honest/1'])
  }

  /** The honest one is served, and when all lifetimes are over there is nothing left of anything. */
  expectServiceAsBefore(): void {
    this.expectHonestUntouched()
    const another = { targetPrefix: ['198.51.100.2/32'], lifetime: 600 }
    expect(this.codes(this.honest.put(2, another, honestCuid))).toEqual(['2.01'])
    expect(this.plans()).toContain('honest/2')
    for (const peer of [this.attacker, ...this.#mine])
      if (!this.bed.closed.includes(peer.id))
        this.bed.feed({ kind: 'session-closed', peer: peer.id, reason: 'close-notify' })
    this.bed.release()
    this.bed.advance(LONG)
    expect([...this.bed.records.keys()]).toEqual([])
    expect(this.plans()).toEqual([])
    const faults = this.bed.events.map(({ kind }) => kind).filter((kind) => /fault|failed$/.test(kind))
    expect(faults.filter((kind) => kind !== 'name-failed')).toEqual([])
    expect(this.codes(this.honest.get(1, [], honestCuid))).toEqual(['4.04'])
  }

  readonly #mine: Peer[] = []
}
