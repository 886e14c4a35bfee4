import { Seconds, after } from '@breakwater/core'
import type { ServerPolicy, StoredRecord } from '@breakwater/dots'
import { describe, expect, it } from 'vitest'
import {
  CUID,
  ServerBed,
  certificate,
  cuid,
  entryOf,
  only
} from '../../packages/dots/test/server/server-bed.ts'
import type { Peer, Seen } from '../../packages/dots/test/server/server-bed.ts'

const SECOND_CUID = cuid('f30d281ce6b64fc5a0b91e')
const WIDE = { targetPrefix: ['192.0.2.0/28'], lifetime: 600 }
const NARROW = { targetPrefix: ['192.0.2.7/32'], lifetime: 3600 }
const COMMON = { conflictCause: 1, conflictScope: { targetPrefix: ['192.0.2.7/32'] } }

interface TwoClients {
  readonly bed: ServerBed
  readonly first: Peer
  readonly second: Peer
}

/** The first client protects, and observes, a wide prefix. */
function twoClients(clientConflict: ServerPolicy['clientConflict']): TwoClients {
  const bed = new ServerBed({ policy: { clientConflict } })
  const first = bed.establish()
  const second = bed.establish(certificate('second.example.net'))
  expect(only(first.put(1, WIDE)).code).toBe('2.01')
  expect(only(first.observe()).code).toBe('2.05')
  bed.advance(Seconds(4))
  first.notifications.length = 0
  return { bed, first, second }
}

function askSecond(second: Peer, entry = NARROW): Seen {
  return only(second.put(1, entry, SECOND_CUID))
}

describe('RFC 9132 §4.4.2.1: both clients of a conflict are told, by the policy that is in force', () => {
  it("with 'accept', both stay in force: status 2 of the conflict, and no timer [RFC9132-4.4.1.3-M07]", () => {
    const { bed, first, second } = twoClients('accept')
    expect(entryOf(askSecond(second)).conflictInformation).toEqual({ ...COMMON, conflictStatus: 2 })
    bed.advance(Seconds(4))
    expect(entryOf(first.notifications[0])).toMatchObject({
      mid: 1,
      status: 2,
      conflictInformation: { ...COMMON, conflictStatus: 2 }
    })
    expect(entryOf(only(second.get(1, [], SECOND_CUID))).conflictInformation).toEqual({
      ...COMMON,
      conflictStatus: 2
    })
  })

  it('and both are told when it is over', () => {
    const { bed, first, second } = twoClients('accept')
    askSecond(second)
    bed.advance(Seconds(4))
    second.delete(1, SECOND_CUID)
    first.notifications.length = 0
    bed.advance(Seconds(4))
    expect(entryOf(first.notifications[0]).conflictInformation).toBeUndefined()
  })

  it("with 'reject', the later one is refused with the lifetime of the active one as its timer [RFC9132-4.4.1.3-S03]", () => {
    const { first, second, bed } = twoClients('reject')
    const answer = askSecond(second)
    expect(answer.code).toBe('4.09')
    expect(entryOf(answer).conflictInformation).toEqual({ ...COMMON, conflictStatus: 1, retryTimer: 596 })
    bed.advance(Seconds(4))
    expect(entryOf(only(first.get(1))).conflictInformation).toBeUndefined()
    expect(bed.plans()).toHaveLength(1)
  })

  it("with 'prefer-latest', the earlier one is deactivated: status 7, status 1 of the conflict, and how long it lasts [RFC9132-4.4.1.3-S03]", () => {
    const { bed, first, second } = twoClients('prefer-latest')
    const answer = askSecond(second)
    expect(answer.code).toBe('2.01')
    bed.advance(Seconds(1))
    expect(entryOf(first.notifications[0])).toMatchObject({
      mid: 1,
      status: 7,
      // RFC 9132 §4.4.1.3: 45 seconds longer than its timer, so that it can be refreshed in between.
      lifetime: 3645,
      conflictInformation: { ...COMMON, conflictStatus: 1, retryTimer: 3600 }
    })
    expect(bed.plans().map((plan) => plan.split('/')[0])).toEqual([SECOND_CUID])
  })

  it('a deactivated one that asks before its conflict is over is refused again', () => {
    const { bed, first, second } = twoClients('prefer-latest')
    askSecond(second)
    bed.advance(Seconds(100))
    const answer = only(first.put(1, WIDE))
    expect(answer.code).toBe('4.09')
    expect(entryOf(answer).conflictInformation).toEqual({ ...COMMON, conflictStatus: 1, retryTimer: 3500 })
    expect(bed.plans()).toHaveLength(1)
  })

  it('and comes into force by itself when the other one is over', () => {
    const { bed, first, second } = twoClients('prefer-latest')
    askSecond(second)
    bed.advance(Seconds(4))
    first.notifications.length = 0
    second.delete(1, SECOND_CUID)
    bed.advance(Seconds(4))
    expect(entryOf(first.notifications.at(-1))).toMatchObject({ mid: 1, status: 2 })
    expect(entryOf(first.notifications.at(-1)).conflictInformation).toBeUndefined()
    bed.advance(Seconds(121))
    expect(bed.plans().map((plan) => plan.split('/')[0])).toEqual([CUID])
  })

  it('at the end of its time it is gone', () => {
    const { bed, first, second } = twoClients('prefer-latest')
    askSecond(second)
    bed.advance(Seconds(1800))
    expect(askSecond(second).code).toBe('2.04')
    bed.advance(Seconds(1846))
    expect(only(first.get(1)).code).toBe('4.04')
    expect([...bed.records.keys()]).toEqual([`${SECOND_CUID}/1`])
  })

  it('stays deactivated over a restart, and comes into force when it is refreshed and nobody is in the way', () => {
    const { bed, second } = twoClients('prefer-latest')
    askSecond(second)
    const records: StoredRecord[] = [...bed.records].map(([key, value]) => ({ key, value }))
    const next = new ServerBed({
      policy: { clientConflict: 'prefer-latest' },
      records,
      inForce: [...bed.inForce.keys()],
      wallClock: after(bed.wallClock(), Seconds(1))
    })
    expect(next.applyCalls).toEqual([])
    const first = next.establish()
    expect(entryOf(only(first.get(1))).status).toBe(7)
    expect(only(first.put(1, WIDE)).code).toBe('4.09')
    next.establish(certificate('second.example.net')).delete(1, SECOND_CUID)
    next.advance(Seconds(1))
    expect(entryOf(only(first.get(1))).status).toBe(2)
  })

  it("with 'reject-all', none of them is in force: status 3 of the conflict for both", () => {
    const { bed, first, second } = twoClients('reject-all')
    const answer = askSecond(second)
    expect(answer.code).toBe('4.09')
    expect(entryOf(answer).conflictInformation).toEqual({ ...COMMON, conflictStatus: 3, retryTimer: 596 })
    bed.advance(Seconds(1))
    expect(bed.plans()).toEqual([])
    expect(entryOf(first.notifications[0])).toMatchObject({
      status: 7,
      lifetime: 3645,
      conflictInformation: { conflictCause: 1, conflictStatus: 3, retryTimer: 3600 }
    })
    // Asking again is refused until the timer is over, and may succeed in the 45 seconds behind it.
    bed.advance(Seconds(1000))
    expect(only(first.put(1, WIDE)).code).toBe('4.09')
    bed.advance(Seconds(2605))
    expect(only(first.put(1, WIDE)).code).toBe('2.04')
    expect(bed.plans()).toHaveLength(1)
  })

  it('a preconfigured request is in no conflict until the loss of the signal brings it into one', () => {
    const { bed, first, second } = twoClients('prefer-latest')
    const waiting = { ...NARROW, triggerMitigation: false, lifetime: 86_400 }
    expect(entryOf(askSecond(second, waiting)).conflictInformation).toBeUndefined()
    first.put(1, { ...WIDE, lifetime: 86_400 })
    second.deaf = true
    second.answersHeartbeats = false
    bed.advance(Seconds(500))
    expect(bed.plans().map((plan) => plan.split('/')[0])).toEqual([SECOND_CUID])
    expect(entryOf(only(first.get(1)))).toMatchObject({
      status: 7,
      conflictInformation: { conflictStatus: 1 }
    })
  })

  it('an accept-list that accepts the attack is named, with cause 2, and again when it is over', () => {
    const { bed, first } = twoClients('accept')
    const [plan] = bed.inForce.keys()
    if (plan === undefined) throw new Error('no plan')
    const filters = [{ name: 'my-partners', type: 'ipv4-acl-type' }]
    bed.feed({ kind: 'accept-lists', conflicts: new Map([[plan, filters]]) })
    bed.feed({ kind: 'accept-lists', conflicts: new Map([[plan, filters]]) })
    bed.advance(Seconds(4))
    expect(first.notifications).toHaveLength(1)
    expect(entryOf(first.notifications[0])).toMatchObject({
      status: 2,
      conflictInformation: {
        conflictStatus: 2,
        conflictCause: 2,
        conflictScope: { aclList: [{ aclName: 'my-partners', aclType: 'ipv4-acl-type' }] }
      }
    })
    bed.feed({ kind: 'accept-lists', conflicts: new Map() })
    bed.advance(Seconds(4))
    expect(entryOf(first.notifications[1]).conflictInformation).toBeUndefined()
  })

  it('what is said of the other never goes beyond what the asking one named', () => {
    const { second } = twoClients('accept')
    const answer = askSecond(second, { targetPrefix: ['192.0.2.12/30'], lifetime: 60 })
    expect(entryOf(answer).conflictInformation?.conflictScope).toEqual({ targetPrefix: ['192.0.2.12/30'] })
  })
})
