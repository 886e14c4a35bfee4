import { WallTime } from '@breakwater/core'
import { plainRequest } from '@breakwater/dots'
import type { StoredRecord } from '@breakwater/dots'
import { mitigationKey } from '../../packages/dots/src/server/mitigations/mitigation.ts'
import { encodeRecord } from '../../packages/dots/src/server/mitigations/record.ts'
import { cuidOf, identityOf, midOf, targetOf } from './many-clients.ts'

const DAY_MS = 86_400_000

/** The record that a server writes for a mitigation of one of the many clients. */
export function recordOf(client: number, mid: number, now: WallTime): StoredRecord {
  const cuid = cuidOf(client)
  const id = midOf(mid)
  const value = encodeRecord({
    cuid,
    id,
    principal: { domain: identityOf(client), owner: `psk:${identityOf(client)}` },
    requested: plainRequest(targetOf(client, mid & 0xffff)),
    resolved: [],
    trigger: 'immediate',
    standing: 'in-force',
    startedAt: now,
    expiresAt: WallTime(now + DAY_MS),
    graceSeconds: 120
  })
  return { key: mitigationKey(cuid, id), value }
}
