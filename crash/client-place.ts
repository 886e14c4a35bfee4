import type { Identity } from '../e2e/psk-server.ts'

/** Which client, and its block of addresses. */
export interface ClientPlace {
  readonly identity: Identity
  readonly cuid: string
  /** `203.0.113.` */
  readonly network: string
  readonly firstHost: number
}

/** All clients of a campaign. */
export const places: readonly ClientPlace[] = [
  { identity: 'home', cuid: 'home-a', network: '203.0.113.', firstHost: 0 },
  { identity: 'home', cuid: 'home-b', network: '203.0.113.', firstHost: 64 },
  { identity: 'branch', cuid: 'branch-a', network: '198.51.100.', firstHost: 0 },
  { identity: 'branch', cuid: 'branch-b', network: '198.51.100.', firstHost: 64 }
]
