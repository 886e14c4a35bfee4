import type {
  IpAddress,
  PathHint,
  PeerId,
  PeerIdentity,
  SessionEnd,
  SessionFailure,
  SocketAddress
} from '@breakwater/core'
import type { NativeHint, NativeReport, PackedReports } from './addon.ts'

/**
 * Of one report: kind, peer, after, longest plaintext or MTU, resumed or local, identity, DNS-IDs, SRV-IDs, interface; two
 * addresses of six.
 */
const NUMBERS = 9 + 2 * 6

const ESTABLISHED = 0
const CLOSED = 1
const HINT = 3

const PSK = 1
const RAW_PUBLIC_KEY = 2

class ReportReader {
  readonly #numbers: Float64Array
  readonly #texts: PackedReports
  #at = 0
  #text = 1

  constructor(packed: PackedReports) {
    this.#numbers = packed[0]
    this.#texts = packed
  }

  /** The next report; undefined when there is none left. */
  next(): NativeReport | NativeHint | undefined {
    if (this.#at === this.#numbers.length) return undefined
    const kind = this.#number(0)
    const peer = this.#number(1) as PeerId
    const after = this.#number(2)
    const report = this.#reportOf(kind, peer, after)
    this.#at += NUMBERS
    return report
  }

  #reportOf(kind: number, peer: PeerId, after: number): NativeReport | NativeHint {
    if (kind === ESTABLISHED) return this.#established(peer, after)
    if (kind === HINT) return { kind: 'hint', after, hint: this.#hint(peer) }
    return kind === CLOSED
      ? { kind: 'closed', peer, after, reason: this.#nextText() as SessionEnd }
      : { kind: 'failed', peer, after, reason: this.#nextText() as SessionFailure }
  }

  #hint(peer: PeerId): PathHint {
    const mtuBytes = this.#number(3)
    const said = {
      peer,
      kind: this.#nextText() as PathHint['kind'],
      origin: this.#number(4) === 1 ? 'local' : 'icmp'
    } as const
    return mtuBytes === 0 ? said : { ...said, mtuBytes }
  }

  #established(peer: PeerId, after: number): NativeReport {
    const identity = this.#identity()
    const ends = { local: this.#address(9), remote: this.#address(15) }
    return {
      kind: 'established',
      peer,
      after,
      identity,
      path: this.#number(8) === 1 ? { ...ends, interface: this.#nextText() } : ends,
      maximumPlaintext: this.#number(3),
      resumed: this.#number(4) === 1
    }
  }

  #identity(): PeerIdentity {
    const kind = this.#number(5)
    if (kind === PSK) return { kind: 'psk', identity: this.#nextText() }
    if (kind === RAW_PUBLIC_KEY) return { kind: 'raw-public-key', spkiSha256: this.#nextText() }
    const dnsNames = this.#nextTexts(this.#number(6))
    const srvNames = this.#nextTexts(this.#number(7))
    const subject = this.#nextText()
    const spkiSha256 = this.#nextText()
    return srvNames.length === 0
      ? { kind: 'certificate', dnsNames, subject, spkiSha256 }
      : { kind: 'certificate', dnsNames, srvNames, subject, spkiSha256 }
  }

  #address(at: number): SocketAddress {
    const address: IpAddress = {
      family: this.#number(at) === 4 ? 4 : 6,
      a: this.#number(at + 1),
      b: this.#number(at + 2),
      c: this.#number(at + 3),
      d: this.#number(at + 4)
    }
    return { address, port: this.#number(at + 5) }
  }

  #number(index: number): number {
    return this.#numbers[this.#at + index] ?? 0
  }

  #nextTexts(count: number): string[] {
    return Array.from({ length: count }, () => this.#nextText())
  }

  #nextText(): string {
    return (this.#texts[this.#text++] ?? '') as string
  }
}

/**
 * Reads what `native/packed-reports.cc` writes. The texts of a report: of an established one its identity (a PSK identity;
 * the hash of a raw key; DNS-IDs, SRV-IDs, subject and hash of a certificate), then its interface if there is one; of a
 * hint its kind; of any other its reason.
 */
export function unpackReports(packed: PackedReports): (NativeReport | NativeHint)[] {
  const reader = new ReportReader(packed)
  const reports: (NativeReport | NativeHint)[] = []
  for (let report = reader.next(); report !== undefined; report = reader.next()) reports.push(report)
  return reports
}
