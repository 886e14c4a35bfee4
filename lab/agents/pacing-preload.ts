// Loaded into an agent of the lab (NODE_OPTIONS=--import): an auditor reads all that its DTLS endpoints send and receive,
// and keeps what it found in the file that BREAKWATER_PACING names. BREAKWATER_PROBING_RATE: what they negotiate.
import { renameSync, writeFileSync } from 'node:fs'

import { formatIpAddress } from '@breakwater/core'
import { systemClock } from '@breakwater/runtime'
import { EndpointAudit, PacingAuditor } from '@breakwater/testing'

// Past the public door: agents open their endpoints themselves, and nobody else can read what goes through them.
import { DtlsEndpoint } from '../../packages/dtls/src/endpoint.ts'

/** How late a datagram may leave, and a mitigation request be repeated, while floods keep the processors busy. */
const LATENESS_MILLISECONDS = 300
const REPETITION_SLACK_MILLISECONDS = 1500

const file = process.env['BREAKWATER_PACING'] ?? ''
const rate = process.env['BREAKWATER_PROBING_RATE']
const violations: string[] = []
const auditor = new PacingAuditor({
  ...(rate === undefined ? {} : { probingRate: Number(rate) }),
  lateness: LATENESS_MILLISECONDS,
  repetitionSlack: REPETITION_SLACK_MILLISECONDS,
  report: ({ pair, text }) => violations.push(`${pair}: ${text}`)
})

const open = DtlsEndpoint.open.bind(DtlsEndpoint)
DtlsEndpoint.open = (options, handlers, words) => {
  const audit = new EndpointAudit({
    clock: systemClock(),
    role: options.server ? 'server' : 'client',
    pairOf: ({ path }) => formatIpAddress(path.remote.address),
    take: (datagram) => {
      auditor.take(datagram)
      // At once and as a whole, for the lab reads it while the agent runs.
      writeFileSync(`${file}.new`, JSON.stringify({ judged: auditor.judged, violations }))
      renameSync(`${file}.new`, file)
    }
  })
  return audit.endpoint(open(options, audit.handlers(handlers), words))
}
