import { Seconds } from '@breakwater/core'
import type { SimulatedSharedStore } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { only } from '../server-bed.ts'
import { TwoServers } from './two-servers.ts'

const TARGET = { targetPrefix: ['192.0.2.7/32'], targetProtocol: [17], lifetime: 3600 }

/** A third server changes something just before each of the next commits. @returns how many were tried since. */
function disturb(store: SimulatedSharedStore, times: number): () => number {
  const third = store.join()
  const commitAsOf = store.commitAsOf.bind(store)
  let tries = 0
  store.commitAsOf = (writer, seen, collection, changes) => {
    if (++tries <= times) store.commit(third, [{ kind: 'delete', collection, key: 'what-nobody-has' }])
    return commitAsOf(writer, seen, collection, changes)
  }
  return () => tries
}

describe('a request while other servers keep changing the store', () => {
  it('is decided again, up to 16 times', () => {
    const servers = new TwoServers()
    const peer = servers.one.establish()
    disturb(servers.store, 15)
    expect(only(peer.put(1, TARGET)).code).toBe('2.01')
    expect(servers.one.plans()).toHaveLength(1)
  })

  it('is answered 5.03 then, nothing is done, and it is granted when it comes again', () => {
    const servers = new TwoServers()
    const peer = servers.one.establish()
    const tries = disturb(servers.store, 16)
    const answer = only(peer.put(1, TARGET))
    expect([answer.code, answer.text]).toEqual([
      '5.03',
      'other servers keep changing what this request depends on'
    ])
    expect(tries()).toBe(16)
    servers.advance(Seconds(1))
    expect(servers.one.plans()).toEqual([])
    expect(only(peer.put(1, TARGET)).code).toBe('2.01')
  })
})
