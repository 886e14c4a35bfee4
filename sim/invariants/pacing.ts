import { PacingAuditor, auditedMessage, plaintextOf, sessionOfDatagram } from '@breakwater/testing'
import type { AuditedMessage, PacingViolation, TraceEntry } from '@breakwater/testing'
import type { MakeInvariant } from './invariant.ts'

/** A record type of DTLS (RFC 6347 §4.1). */
const HANDSHAKE = 22

/** The pacing rules of RFC 9132 §4.4 and the probing rate are kept between each two agents, whatever happens to them. */
export const pacing: MakeInvariant = ({ customers }) => {
  let found: PacingViolation | undefined
  const auditor = new PacingAuditor({ report: (violation) => (found ??= violation) })
  const reader = new Reader()
  /** In which life of its client each session began. */
  const lives = new Map<string, number>()
  return {
    name: 'pacing',
    traffic(traffic, report) {
      const { site, provider, when, direction, entry } = traffic
      const { message, bytes, session } = reader.read(entry)
      // Another life of the client knows nothing of what the one before it measured, and leaves its sessions behind.
      const life = lives.get(session) ?? customers[site]?.life ?? 0
      lives.set(session, life)
      const pair = `${site} ${provider} ${life}`
      auditor.take({ at: entry.at, when, direction, pair, session, bytes, message })
      if (found !== undefined) report(`site ${site} and provider ${provider}: ${found.text}`)
      found = undefined
    }
  }
}

interface Content {
  readonly bytes: number
  readonly session: string
  readonly message: AuditedMessage | undefined
}

/** Reads each datagram once. */
class Reader {
  readonly #known = new WeakMap<Uint8Array, Content>()

  read({ bytes }: TraceEntry): Content {
    const known = this.#known.get(bytes)
    if (known !== undefined) return known
    const content = contentOf(bytes)
    this.#known.set(bytes, content)
    return content
  }
}

function contentOf(datagram: Uint8Array): Content {
  const plaintext = plaintextOf(datagram)
  const session = String(sessionOfDatagram(datagram))
  if (plaintext !== undefined) return { bytes: plaintext.length, session, message: auditedMessage(plaintext) }
  return {
    bytes: datagram.length,
    session,
    message: datagram[0] === HANDSHAKE ? { kind: 'handshake' } : undefined
  }
}
