import type { OpenSecureEndpoint, PeerIdentity } from '@breakwater/core'
import { openDtlsEndpoint } from '@breakwater/dtls'
import { systemClock } from '@breakwater/runtime'
import { PacingAuditor, auditedEndpoints } from '@breakwater/testing'

import { customerOf } from '../../agents/flooded-link-agents.ts'
import { tell } from './flooded-party.ts'

/** Violations that are told of: the first ones say it all. */
const MOST_VIOLATIONS = 20

/** How late a mitigation request may be repeated on a machine that has other things to do, unless told otherwise. */
const REPETITION_SLACK_MILLISECONDS = 1500

/** How late a datagram may leave there; hundreds of clients share one thread. */
const LATENESS_MILLISECONDS = 300

/** The auditor of one process: it judges what this process sends, by what it hears. */
export class ProcessAudit {
  readonly #violations: string[] = []
  readonly #auditor: PacingAuditor

  constructor(repetitionSlack = REPETITION_SLACK_MILLISECONDS) {
    this.#auditor = new PacingAuditor({
      repetitionSlack,
      lateness: LATENESS_MILLISECONDS,
      report: ({ pair, text }) => {
        if (this.#violations.length < MOST_VIOLATIONS) this.#violations.push(`customer ${pair}: ${text}`)
      }
    })
  }

  /** Endpoints of real DTLS, listened to. */
  opener(role: 'client' | 'server', customer?: number): OpenSecureEndpoint {
    return auditedEndpoints(openDtlsEndpoint, {
      clock: systemClock(),
      role,
      pairOf: ({ identity }) => String(customer ?? customerOf(nameIn(identity))),
      take: (datagram) => this.#auditor.take(datagram)
    })
  }

  tell(): void {
    tell({ kind: 'pacing', judged: this.#auditor.judged, violations: this.#violations })
  }
}

function nameIn(identity: PeerIdentity): string {
  if (identity.kind === 'certificate') return identity.dnsNames[0] ?? ''
  return identity.kind === 'psk' ? identity.identity : ''
}
