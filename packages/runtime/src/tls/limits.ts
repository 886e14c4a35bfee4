import { ConfigError, DEFAULT_STREAM_LIMITS, Seconds } from '@breakwater/core'
import type { Duration, SecureEndpointLimits, SecureStreamLimits } from '@breakwater/core'

export type TlsLimits = typeof DEFAULT_STREAM_LIMITS

const mostPeers = 0xffff_ffff
const mostQueuedBytes = 1024 * 1024 * 1024
const longestPatience = Seconds(600)

/** A mistake in an option of the endpoint. */
export function invalidOption(path: string, message: string): ConfigError {
  return new ConfigError('TLS_OPTIONS_INVALID', `${path}: ${message}`, [{ path, message }])
}

function checkInteger(path: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw invalidOption(path, `${value} is not a whole number of 1 to ${most}`)
}

function checkPatience(path: string, value: Duration): void {
  if (!(value > 0 && value <= longestPatience))
    throw invalidOption(path, `${value} ms is not more than 0 and at most ${longestPatience} ms`)
}

/**
 * The limits with their defaults.
 * @throws {ConfigError} `TLS_OPTIONS_INVALID`
 */
export function tlsLimits(given: SecureEndpointLimits & SecureStreamLimits = {}): TlsLimits {
  const limits = { ...DEFAULT_STREAM_LIMITS, ...given }
  checkInteger('limits.peers', limits.peers, mostPeers)
  checkInteger('limits.handshaking', limits.handshaking, mostPeers)
  checkInteger('limits.peersPerSource', limits.peersPerSource, mostPeers)
  checkInteger('limits.handshakingPerSource', limits.handshakingPerSource, mostPeers)
  checkInteger('limits.queuedBytes', limits.queuedBytes, mostQueuedBytes)
  checkPatience('limits.handshake', limits.handshake)
  checkPatience('limits.firstByte', limits.firstByte)
  return limits
}
