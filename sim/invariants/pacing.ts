import { formatIpAddress } from '@breakwater/core'
import { PacingAuditor, auditedMessage, plaintextOf } from '@breakwater/testing'
import type { AuditedMessage, PacingViolation, TraceEntry } from '@breakwater/testing'
import type { Traffic } from '../world/traffic.ts'
import type { MakeInvariant } from './invariant.ts'

/** A record type of DTLS (RFC 6347 §4.1). */
const HANDSHAKE = 22

/** The pacing rules of RFC 9132 §4.4 and the probing rate are kept between each two agents, whatever happens to them. */
export const pacing: MakeInvariant = ({ customers }) => {
  let found: PacingViolation | undefined
  const auditor = new PacingAuditor({ report: (violation) => (found ??= violation) })
  const reader = new Reader()
  return {
    name: 'pacing',
    traffic(traffic, report) {
      const { site, provider, when, direction, entry } = traffic
      // Another life of the client knows nothing of what the one before it measured.
      const pair = `${site} ${provider} ${customers[site]?.life}`
      const { message, bytes } = reader.read(entry)
      auditor.take({ at: entry.at, when, direction, pair, session: sessionOf(traffic), bytes, message })
      if (found !== undefined) report(`site ${site} and provider ${provider}: ${found.text}`)
      found = undefined
    }
  }
}

interface Content {
  readonly bytes: number
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
  if (plaintext !== undefined) return { bytes: plaintext.length, message: auditedMessage(plaintext) }
  return {
    bytes: datagram.length,
    message: datagram[0] === HANDSHAKE ? { kind: 'handshake' } : undefined
  }
}

/** Both directions of a session have the same name. */
function sessionOf({ direction, entry }: Traffic): string {
  const { local, remote } = entry.path
  const client = direction === 'to-server' ? local : remote
  return `${formatIpAddress(client.address)} ${client.port}`
}
