import { Code, OptionNumber, uintOption } from '@breakwater/coap'
import type { CoapResponse } from '@breakwater/coap'
import { formatIpAddress } from '@breakwater/core'
import type { IpAddress } from '@breakwater/core'
import type { Principal } from './requests/authorization.ts'
import { dotsResponse } from './requests/response.ts'
import type { Answer } from './requests/response.ts'
import type { ServerState } from './server-state.ts'

/** Where clients are sent (RFC 9132 §4.6). */
export interface Redirection {
  /** Domain name of the other DOTS server. */
  readonly server: string
  /** Its addresses, so that clients need not ask a name service that is under attack. */
  readonly addresses: readonly IpAddress[]
  /** How long the other server may be used; 0: for the one request, 4294967295: until it sends clients elsewhere. */
  readonly ttlSeconds: number
  /** Names of client domains, or everybody. */
  readonly clients: 'all' | readonly string[]
}

/**
 * Where this client is sent, if it is. Not while it has a mitigation under way: what protects it is here, and nothing of it
 * is there (RFC 9132 §4.6: nobody changes servers in the middle of an attack).
 */
export function redirectionOf(state: ServerState, principal: Principal | undefined): Redirection | undefined {
  const { redirection, activity } = state
  if (redirection === undefined || principal === undefined) return undefined
  if (redirection.clients !== 'all' && !redirection.clients.includes(principal.domain)) return undefined
  return activity.isMitigating(principal.owner) ? undefined : redirection
}

/** RFC 9132 §4.6, Figures 25 and 26. */
export function redirectionResponse({ server, addresses, ttlSeconds }: Redirection): CoapResponse {
  const records = addresses.map((address) => formatIpAddress(address))
  return dotsResponse(
    Code.serviceUnavailable,
    {
      redirectedSignal: { altServer: server, ...(records.length === 0 ? {} : { altServerRecord: records }) }
    },
    [uintOption(OptionNumber.maxAge, ttlSeconds)]
  )
}

export function redirected(redirection: Redirection): Answer {
  return { response: redirectionResponse(redirection), outcome: 'redirected' }
}
