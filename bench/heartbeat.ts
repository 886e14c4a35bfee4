import { encodeMessage } from '@breakwater/coap'
import { heartbeatRequest } from '@breakwater/dots'
import type { Benchmark } from './benchmark.ts'
import type { DotsAgent } from './load/dots-agent.ts'
import { rateOfAnswers } from './load/rate-of-answers.ts'

/** A heartbeat as every client sends it (RFC 9132 §4.7): Non-confirmable PUT, 38 bytes. */
function heartbeat(): Uint8Array {
  const { method, options, payload } = heartbeatRequest(true)
  const token = new Uint8Array(4)
  return encodeMessage({ type: 'non-confirmable', code: method, messageId: 0, token, options, payload })
}

/** Only a server that took them for heartbeats answered them as such. */
async function checkAnswers({ control }: DotsAgent): Promise<void> {
  const counters = await control.counters()
  const heartbeats = counters['dots_server_heartbeats_received_total'] ?? 0
  const arrived = counters['dtls_plaintextsIn'] ?? 0
  if (heartbeats === 0 || heartbeats < arrived)
    throw new Error(`of ${arrived} requests, the server took ${heartbeats} for heartbeats`)
}

export const benchmarks: readonly Benchmark[] = [
  { name: 'heartbeat', run: () => rateOfAnswers(heartbeat(), { check: checkAnswers }) },
  {
    name: 'heartbeat-openssl',
    run: () => rateOfAnswers(heartbeat(), { check: checkAnswers, echo: 'openssl' })
  }
]
