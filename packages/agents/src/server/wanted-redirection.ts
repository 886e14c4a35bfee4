import { DecodeError, parseIpAddress } from '@breakwater/core'
import type { RedirectionView } from '@breakwater/control'
import type { Redirection } from '@breakwater/dots'
import { redirectionFaults } from '../config/redirection-fault.ts'

/**
 * Reads where an operator wants clients to be sent.
 * @param known Names of the clients of this server.
 * @throws DecodeError `CONTROL_REQUEST_INVALID`
 */
export function redirectionOf(view: RedirectionView, known: ReadonlySet<string>): Redirection {
  const { server, addresses, ttlSeconds, clients } = view
  const read = addresses.map(
    (text) => parseIpAddress(text) ?? invalid(`${JSON.stringify(text)} is no IP address`)
  )
  if (!/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$/i.test(server)) invalid(`${JSON.stringify(server)} is no name`)
  const [fault] = redirectionFaults(view, known)
  if (fault !== undefined) invalid(fault.message)
  return { server, addresses: read, ttlSeconds, clients: clients ?? 'all' }
}

function invalid(message: string): never {
  throw new DecodeError('CONTROL_REQUEST_INVALID', message)
}
