import { inSeconds } from '@breakwater/core'
import type { ProtectRequest } from '@breakwater/control'
import { DEFAULT_LIFETIME } from '@breakwater/dots'
import type { ProtectionId, ProtectionRequest } from '@breakwater/dots'
import { lifetimeOfRequest, wantedOfRequest } from './target-of-request.ts'

/** What was asked of a client, under the name that it got. */
export interface NamedProtection {
  readonly id: ProtectionId
  /** With its lifetime. */
  readonly request: ProtectRequest
}

/**
 * What is wanted of the client.
 * @throws DecodeError when a prefix, name, URI, range of ports or lifetime is none.
 */
export function protectionOf({ id, request }: NamedProtection): ProtectionRequest {
  return {
    id,
    ...wantedOfRequest(request),
    lifetime: lifetimeOfRequest(request.lifetimeSeconds ?? inSeconds(DEFAULT_LIFETIME)),
    allowPartial: request.allowPartial === true,
    require: request.require ?? 'all',
    policy: request.policy ?? 'all'
  }
}
