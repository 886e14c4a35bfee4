import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@breakwater/core'
import type { PeerId } from '@breakwater/core'
import type { RequestEvent } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAuditTrail } from '../../src/server/audit-trail.ts'
import type { AuditEntry } from '../../src/server/audit-trail.ts'
import { auditEntryOf } from '../../src/server/audit-entry.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function entry(mitigationId: number): AuditEntry {
  return {
    time: '2026-01-01T00:00:00.000Z',
    identity: 'dns:home.example',
    method: 'PUT',
    mitigationId,
    targets: ['203.0.113.7/32'],
    outcome: 'created',
    answer: '2.01'
  }
}

function linesOf(path: string): unknown[] {
  const text = readFileSync(path, 'utf8').trimEnd()
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as unknown)
}

describe('the audit trail', () => {
  it('has written everything once it is closed, in order, in a file for its own account', async () => {
    const path = join(folder, 'made', 'requests.jsonl')
    const trail = await openAuditTrail(path, silentLog)
    const entries = Array.from({ length: 500 }, (_, index) => entry(index))
    for (const each of entries) trail.record(each)
    await trail.close()
    expect(linesOf(path)).toEqual(entries)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('goes on where an earlier process ended', async () => {
    const path = join(folder, 'requests.jsonl')
    for (const id of [1, 2]) {
      const trail = await openAuditTrail(path, silentLog)
      trail.record(entry(id))
      await trail.close()
    }
    expect(linesOf(path)).toEqual([entry(1), entry(2)])
  })

  it('starts a new file when it is told that the old one was moved away', async () => {
    const path = join(folder, 'requests.jsonl')
    const trail = await openAuditTrail(path, silentLog)
    trail.record(entry(1))
    await expect.poll(() => linesOf(path)).toHaveLength(1)
    renameSync(path, `${path}.1`)
    trail.reopen()
    trail.record(entry(2))
    await expect.poll(() => statSync(path, { throwIfNoEntry: false })?.size ?? 0).toBeGreaterThan(0)
    await trail.close()
    expect([linesOf(`${path}.1`), linesOf(path)]).toEqual([[entry(1)], [entry(2)]])
  })

  it('refuses a path that cannot be written', async () => {
    await expect(openAuditTrail(folder, silentLog)).rejects.toMatchObject({ code: 'AUDIT_UNUSABLE' })
  })
})

describe('what the audit trail keeps', () => {
  const event: RequestEvent = {
    kind: 'request',
    peer: 1 as PeerId,
    identity: 'dns:home.example',
    domain: 'home',
    method: 'PUT',
    path: '.well-known/dots/mitigate/cuid=abc/mid=1',
    targets: ['203.0.113.7/32', '2001:db8::/32', 'port 80-443', 'protocol 17'],
    outcome: 'created',
    answer: '2.01'
  }
  const time = new Date('2026-01-01T00:00:00Z')

  it('targets are prefixes; ports and protocols stand beside them', () => {
    expect(auditEntryOf(event, time, '192.0.2.1:4646')).toMatchObject({
      time: '2026-01-01T00:00:00.000Z',
      client: 'home',
      remote: '192.0.2.1:4646',
      targets: ['203.0.113.7/32', '2001:db8::/32'],
      narrowedTo: ['port 80-443', 'protocol 17']
    })
  })

  it('requests that ask for something, and not those that only look', () => {
    expect(auditEntryOf({ ...event, method: 'DELETE' }, time, undefined)).toBeDefined()
    expect(auditEntryOf({ ...event, method: 'GET' }, time, undefined)).toBeUndefined()
    const config = { ...event, path: '/.well-known/dots/config/sid=1' }
    expect(auditEntryOf(config, time, undefined)).toBeUndefined()
  })

  it('of what came too fast, the 1st, 2nd, 4th, 8th …', () => {
    const kept = [1, 2, 3, 4, 5, 6, 7, 8].filter(
      (idleCount) => auditEntryOf({ ...event, outcome: 'limited', idleCount }, time, undefined) !== undefined
    )
    expect(kept).toEqual([1, 2, 4, 8])
    expect(auditEntryOf({ ...event, outcome: 'refused', idleCount: 3 }, time, undefined)).toBeDefined()
  })

  it('what an efficacy update says of the attack', () => {
    const told = [1, 2].map(
      (attackStatus) => auditEntryOf({ ...event, attackStatus }, time, undefined)?.attackStatus
    )
    expect(told).toEqual(['under-attack', 'attack-successfully-mitigated'])
    expect(auditEntryOf(event, time, undefined)).not.toHaveProperty('attackStatus')
  })

  it('a stranger has no client, and what was wrong is said', () => {
    const stranger = { ...event, domain: undefined, problem: 'DOTS_SERVER_STRANGER', diagnostic: 'who?' }
    const kept = auditEntryOf(stranger, time, undefined)
    expect(kept).not.toHaveProperty('client')
    expect(kept).toMatchObject({ problem: 'DOTS_SERVER_STRANGER', diagnostic: 'who?' })
  })
})
