import { encodeMessage } from '@breakwater/coap'
import { heartbeatRequest } from '@breakwater/dots'
import type { Benchmark, Measurement } from './benchmark.ts'
import { bestRate } from './best-rate.ts'
import { onDtlsBed } from './dtls-bed.ts'
import { sample, startServer } from './dtls-echo.ts'
import { startCertificateServer } from './load/certificate-server.ts'
import type { DotsAgent } from './load/dots-agent.ts'

/** A heartbeat as every client sends it (RFC 9132 §4.7): Non-confirmable PUT, 38 bytes. */
function heartbeat(): Uint8Array {
  const { method, options, payload } = heartbeatRequest(true)
  const token = new Uint8Array(4)
  return encodeMessage({ type: 'non-confirmable', code: method, messageId: 0, token, options, payload })
}

/**
 * Heartbeats per second of processor time of a whole `dots server` (its control API, log and SQLite store with it), of 64
 * sessions with 4 in flight each; against the echo in C++ with the same requests.
 */
function run(): Promise<Measurement> {
  return onDtlsBed(async (bed) => {
    const { addon, credentials } = bed
    const whole = await startCertificateServer(bed)
    const native = await startServer('native', addon, credentials)
    const request = heartbeat()
    try {
      const measurement = bestRate(
        () => sample(whole, addon, credentials, request),
        () => sample(native, addon, credentials, request)
      )
      await checkAnswers(whole)
      return measurement
    } finally {
      native.process.kill('SIGKILL')
      await whole.stop()
    }
  })
}

/** The generator counts replies unread: only a server that took them for heartbeats answered them as such. */
async function checkAnswers({ control }: DotsAgent): Promise<void> {
  const counters = await control.counters()
  const heartbeats = counters['dots_server_heartbeats_received_total'] ?? 0
  const arrived = counters['dtls_plaintextsIn'] ?? 0
  if (heartbeats === 0 || heartbeats < arrived)
    throw new Error(`of ${arrived} requests, the server took ${heartbeats} for heartbeats`)
}

export const benchmarks: readonly Benchmark[] = [{ name: 'heartbeat', run }]
