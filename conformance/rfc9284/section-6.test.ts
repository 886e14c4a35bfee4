import { Minutes, Seconds } from '@breakwater/core'
import { plaintextOf } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TwoProviders, targetOf } from '../../packages/dots/test/client/two-providers.ts'

let world: TwoProviders

beforeEach(() => {
  world = new TwoProviders()
})

afterEach(() => world.close())

describe('RFC 9284 §6', () => {
  it("nothing of one link's prefixes, addresses or cuid reaches the server of the other [RFC9284-6-S01]", async () => {
    const said = { 'wan-a': '', 'wan-b': '' }
    world.network.tap((entry) => {
      const bytes = entry.from === 'site' && entry.fate.kind === 'sent' ? plaintextOf(entry.bytes) : undefined
      if (bytes === undefined) return
      const via = entry.path.interface === 'wan-a' ? 'wan-a' : 'wan-b'
      said[via] += `${String.fromCharCode(...bytes)}\n`
    })
    await world.start()
    world.protect('all', targetOf('198.51.100.7/32', '100.64.7.7/32'))
    await world.advance(Minutes(5))
    world.protect('all', targetOf('198.51.100.0/28', '100.64.7.0/28'))
    await world.advance(Minutes(5))
    world.release('all')
    await world.advance(Seconds(30))
    expect(said['wan-a']).toContain('198.51.100.7/32')
    expect(said['wan-b']).toContain('100.64.7.7/32')
    for (const secret of ['100.64.7', 'isp-b']) expect(said['wan-a']).not.toContain(secret)
    for (const secret of ['198.51.100', 'isp-a']) expect(said['wan-b']).not.toContain(secret)
  })
})
