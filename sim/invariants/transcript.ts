import { parseIpAddress, parseIpPrefix, prefixOf } from '@breakwater/core'
import type { Instant, IpPrefix } from '@breakwater/core'
import { decodeSegment } from '@breakwater/testing'
import type { TraceEntry } from '@breakwater/testing'
import type { ClientPlan, Layout, ServerPlan } from '../layout.ts'
import { isAboutMitigation } from '../world/ledger.ts'
import type { Traffic } from '../world/traffic.ts'
import type { Invariant, MakeInvariant, Report, WorldView } from './invariant.ts'

/**
 * Not a byte about another domain reaches a server (RFC 9284 §5.1, §6): of all that a client sends there, decrypted,
 * handshakes included, no text is an address or a prefix that the server may not hear of, the name of another domain, of its
 * servers, its cuid or what stands in its certificate, the operator's name of a protection, or the name of a target. This one reads bytes, and
 * knows nothing of messages.
 */
export const transcript: MakeInvariant = (view) => new Transcript(view)

/** Texts that look like an address or a prefix of either family; tokens are random bytes, and look like short ones. */
const ADDRESSES =
  /(?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?|[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f:]*(?:\/\d{1,3})?/g

/** What operators of these worlds call protections. */
const PROTECTION = 'wish-'

class Transcript implements Invariant {
  readonly name = 'transcript'
  readonly #layout: Layout
  /** Names that a server must not read, by client and server. */
  readonly #forbidden = new Map<string, RegExp>()
  readonly #firstSent = new Map<string, Instant>()
  /** Packets by what of a stream they carried first. */
  readonly #segments = new Map<string, number>()

  constructor({ layout }: WorldView) {
    this.#layout = layout
  }

  traffic({ when, direction, site, provider, entry, seen }: Traffic, report: Report): void {
    if (when !== 'sent' || direction !== 'to-server' || this.#isRepeated(entry)) return
    const client = this.#layout.clients[site]
    const server = this.#layout.servers[provider ?? -1]
    if (client === undefined || server === undefined) return
    const text = latin1(entry.bytes)
    const name = this.#namesFor(client, server).exec(text)?.[0]
    if (name !== undefined) report(`site ${site} let server ${provider} read ${name}`)
    if (!text.includes('.') && !text.includes(':')) return
    // What was legal when it was first sent may be repeated.
    const key = `${site} ${provider} ${seen?.token}`
    const isRequest = seen !== undefined && isAboutMitigation(seen)
    const at = (isRequest ? this.#firstSent.get(key) : undefined) ?? entry.at
    if (isRequest) this.#firstSent.set(key, at)
    const mayHear = (prefix: IpPrefix, moment: Instant): boolean =>
      client.oracle.mayHear(server.number, prefix, moment)
    for (const [found] of text.matchAll(ADDRESSES)) {
      const prefix = prefixIn(found)
      // A packet of a stream has other messages beside this one, which are new.
      if (prefix !== undefined && !mayHear(prefix, at) && !mayHear(prefix, entry.at))
        report(`site ${site} let server ${provider} read ${found}`)
    }
  }

  /** TCP sends again what has no acknowledgement, whoever wrote it: it was looked at when it was sent first. */
  #isRepeated({ transport, bytes, datagram }: TraceEntry): boolean {
    const segment = transport === 'tcp' ? decodeSegment(bytes) : undefined
    if (segment === undefined || segment.payload.length === 0) return false
    const key = `${segment.connection} ${segment.sequence} ${latin1(segment.payload)}`
    const first = this.#segments.get(key) ?? datagram
    this.#segments.set(key, first)
    return first !== datagram
  }

  #namesFor(client: ClientPlan, server: ServerPlan): RegExp {
    const key = `${client.number} ${server.number}`
    const known = this.#forbidden.get(key) ?? forbiddenNames(this.#layout, client, server)
    this.#forbidden.set(key, known)
    return known
  }
}

function forbiddenNames({ servers, clients }: Layout, client: ClientPlan, { home }: ServerPlan): RegExp {
  const others = servers.filter((each) => each.home !== home)
  const domains = clients.flatMap((each) =>
    each.domains.filter(({ number }) => number !== home || each !== client)
  )
  const names = [
    ...(client.names?.names ?? []).map(({ name }) => name),
    ...others.flatMap(({ name, called }) => [name, called]),
    ...domains.flatMap(({ number, name, cuid, subject }) =>
      number === home ? [cuid, subject] : [name, cuid, subject]
    )
  ]
  const escaped = [...new Set<string>(names)].map((each) => each.replaceAll('.', '\\.'))
  // The end of a number is the end of a name.
  return new RegExp(`${PROTECTION}|(?:${escaped.join('|')})(?!\\d)`)
}

function prefixIn(text: string): IpPrefix | undefined {
  const prefix = parseIpPrefix(text)
  if (prefix !== undefined) return prefix
  const address = parseIpAddress(text)
  return address && prefixOf(address, address.family === 4 ? 32 : 128)
}

/** One character for each byte. */
function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}
