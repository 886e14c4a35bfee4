import { bestRate } from '../best-rate.ts'
import type { Measurement } from '../benchmark.ts'
import { onDtlsBed } from '../dtls-bed.ts'
import type { DtlsBed } from '../dtls-bed.ts'
import { sample, startServer } from '../dtls-echo.ts'
import type { EchoRole } from '../dtls-echo.ts'
import { startCertificateServer } from './certificate-server.ts'
import type { DotsAgent } from './dots-agent.ts'

/** What makes a rate mean something. */
export interface Judge {
  /** Brings the server to where the request has the answer that is meant. */
  readonly prepare?: (whole: DotsAgent, bed: DtlsBed) => Promise<void>
  /** The generator counts replies unread: rejects unless the server says that they were that answer. */
  readonly check: (whole: DotsAgent) => Promise<void>
  /** What it is measured against; default: the echo in C++ on the product's engine. */
  readonly echo?: EchoRole
}

/**
 * How often a whole `dots server` answers one request, of 64 sessions with 4 in flight each, per second of its processor
 * time; against an echo in C++ with the same requests.
 */
export function rateOfAnswers(
  request: Uint8Array,
  { prepare, check, echo = 'native' }: Judge
): Promise<Measurement> {
  return onDtlsBed(async (bed) => {
    const { addon, credentials } = bed
    const whole = await startCertificateServer(bed)
    const native = await startServer(echo, addon, credentials)
    try {
      await prepare?.(whole, bed)
      const measurement = bestRate(
        () => sample(whole, addon, credentials, request),
        () => sample(native, addon, credentials, request)
      )
      await check(whole)
      return measurement
    } finally {
      native.process.kill('SIGKILL')
      await whole.stop()
    }
  })
}
