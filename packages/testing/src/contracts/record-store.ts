import { encodeUtf8, integerBelow, UnavailableError } from '@breakwater/core'
import type { RecordChange, RecordStore } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededEntropy } from '../seeded-entropy.ts'

/** A place where one store keeps its records. Each test gets a fresh, empty one. */
export interface RecordStoreWorld {
  /** Opens the store of this place; again after it was closed. */
  open(): Promise<RecordStore>
  /** Whether a store that is opened again has what was committed before. */
  readonly persistent: boolean
  /** Spoils the stored value of one record while the store is closed. A test that needs it is skipped without it. */
  damage?(collection: string, key: string): Promise<void>
  /** Takes the place away; every store is closed by then. */
  close(): Promise<void>
}

export type RecordStoreAbility = 'persistence' | 'damage'

/**
 * The suite that every `RecordStore` must pass.
 *
 * ```ts
 * const makeWorld = () =>
 *   Promise.resolve({ open: () => Promise.resolve(memoryStore()), persistent: false, close: () => Promise.resolve() })
 * recordStoreContract('the memory store', makeWorld, ['persistence', 'damage'])
 * ```
 *
 * @param lacks what this store cannot do by its nature: the tests of it do not exist then. A test that finds its world
 * without an ability that is not listed here is skipped, which CI takes for a failure.
 */
export function recordStoreContract(
  name: string,
  makeWorld: () => Promise<RecordStoreWorld>,
  lacks: readonly RecordStoreAbility[] = []
): void {
  describe(`record store contract: ${name}`, () => {
    let world: RecordStoreWorld
    let store: RecordStore
    beforeEach(async () => {
      world = await makeWorld()
      store = await world.open()
    })
    afterEach(async () => {
      await store.close()
      await world.close()
    })

    recordCases(() => store)
    batchCases(() => store)
    const closing: Closing = {
      world: () => world,
      store: () => store,
      reopen: async () => {
        await store.close()
        store = await world.open()
        return store
      }
    }
    closingCases(() => store)
    if (!lacks.includes('persistence')) describe('persistence', () => persistenceCases(closing))
    if (!lacks.includes('damage')) describe('damage', () => damageCases(closing))
  })
}

function put(collection: string, key: string, value: Uint8Array | string): RecordChange {
  return { kind: 'put', collection, key, value: typeof value === 'string' ? encodeUtf8(value) : value }
}

function remove(collection: string, key: string): RecordChange {
  return { kind: 'delete', collection, key }
}

async function keysOf(store: RecordStore, collection: string): Promise<readonly string[]> {
  return (await store.load(collection)).records.map(({ key }) => key)
}

async function valueOf(store: RecordStore, collection: string, key: string): Promise<Uint8Array | undefined> {
  return (await store.load(collection)).records.find((record) => record.key === key)?.value
}

function recordCases(store: () => RecordStore): void {
  it('has nothing in a collection that nobody wrote to', async () => {
    expect(await store().load('mitigation')).toEqual({ records: [], damaged: [] })
  })

  it('gives back what was put', async () => {
    await store().commit([put('mitigation', '7', 'seven')])
    expect(await store().load('mitigation')).toEqual({
      records: [{ key: '7', value: encodeUtf8('seven') }],
      damaged: []
    })
  })

  it('replaces the value of a key', async () => {
    await store().commit([put('mitigation', '7', 'a longer first value')])
    await store().commit([put('mitigation', '7', 'second')])
    expect(await keysOf(store(), 'mitigation')).toEqual(['7'])
    expect(await valueOf(store(), 'mitigation', '7')).toEqual(encodeUtf8('second'))
  })

  it('forgets what was deleted, and nothing else', async () => {
    await store().commit([put('mitigation', '7', 'x'), put('mitigation', '8', 'x')])
    await store().commit([remove('mitigation', '7')])
    expect(await keysOf(store(), 'mitigation')).toEqual(['8'])
  })

  it('takes the deletion of a key that is not there', async () => {
    await store().commit([remove('mitigation', 'nobody')])
    expect(await keysOf(store(), 'mitigation')).toEqual([])
  })

  it('keeps collections apart, also where names and keys run together', async () => {
    await store().commit([put('a', 'bc', '1'), put('ab', 'c', '2'), put('a', 'c', '3')])
    await store().commit([remove('a', 'c')])
    expect(await keysOf(store(), 'a')).toEqual(['bc'])
    expect(await valueOf(store(), 'ab', 'c')).toEqual(encodeUtf8('2'))
  })

  it('orders by key', async () => {
    const keys = ['b', 'a/10', 'a/9', 'a', 'B', '~', 'é', '0', 'a.b']
    await store().commit(keys.map((key) => put('c', key, key)))
    expect(await keysOf(store(), 'c')).toEqual(keys.toSorted((x, y) => (x < y ? -1 : 1)))
  })

  it('takes any text as a key', async () => {
    const keys = ["'; drop table record; --", 'a b', 'ключ', '鍵', '\u{1f511}', 'x'.repeat(1000), '%_?*']
    await store().commit(keys.map((key) => put('c', key, key)))
    for (const key of keys) expect(await valueOf(store(), 'c', key)).toEqual(encodeUtf8(key))
    expect((await store().load('c')).records).toHaveLength(keys.length)
  })

  it.for([
    ['empty', new Uint8Array(0)],
    ['of every byte', Uint8Array.from({ length: 256 }, (_, byte) => byte)],
    ['of a megabyte', seededEntropy(1).bytes(1_000_000)]
  ] as const)('keeps a value that is %s', async ([, value]) => {
    await store().commit([put('c', 'k', value)])
    const kept = await valueOf(store(), 'c', 'k')
    expect(kept?.length).toBe(value.length)
    expect(kept?.every((byte, index) => byte === value[index])).toBe(true)
  })

  it('stores the bytes of a view, not the buffer under it', async () => {
    await store().commit([put('c', 'k', encodeUtf8('(inner)').subarray(1, 6))])
    expect(await valueOf(store(), 'c', 'k')).toEqual(encodeUtf8('inner'))
  })

  it('lends nobody its own bytes', async () => {
    const value = encodeUtf8('kept')
    await store().commit([put('c', 'k', value)])
    value.fill(0)
    const loaded = await valueOf(store(), 'c', 'k')
    loaded?.fill(0)
    expect(await valueOf(store(), 'c', 'k')).toEqual(encodeUtf8('kept'))
  })
}

function batchCases(store: () => RecordStore): void {
  it('takes a commit without changes', async () => {
    await store().commit([])
    expect(await keysOf(store(), 'c')).toEqual([])
  })

  it('applies the changes of a commit in their order: the last word counts', async () => {
    await store().commit([
      put('c', 'put last', '1'),
      remove('c', 'put last'),
      put('c', 'put last', '2'),
      put('c', 'deleted last', '1'),
      remove('c', 'deleted last')
    ])
    expect(await keysOf(store(), 'c')).toEqual(['put last'])
    expect(await valueOf(store(), 'c', 'put last')).toEqual(encodeUtf8('2'))
  })

  it('takes one commit over several collections', async () => {
    await store().commit([put('a', 'k', '1'), put('b', 'k', '2')])
    expect(await valueOf(store(), 'a', 'k')).toEqual(encodeUtf8('1'))
    expect(await valueOf(store(), 'b', 'k')).toEqual(encodeUtf8('2'))
  })

  it('never shows half a commit to somebody who reads meanwhile', async () => {
    const writing = Array.from({ length: 20 }, (_, round) =>
      store().commit(['left', 'right'].map((key) => put('c', key, `${round}`)))
    )
    const reading = Array.from({ length: 20 }, () => store().load('c'))
    for (const { records } of await Promise.all(reading)) {
      const [left, right] = records
      expect(left?.value).toEqual(right?.value)
      expect([0, 2]).toContain(records.length)
    }
    await Promise.all(writing)
  })

  it('applies commits that were not waited for in the order in which they were given', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, round) => store().commit([put('c', 'k', `${round}`)])))
    expect(await valueOf(store(), 'c', 'k')).toEqual(encodeUtf8('49'))
  })

  it('keeps every record of many concurrent commits', async () => {
    const keys = Array.from({ length: 200 }, (_, index) => `key ${String(index).padStart(3, '0')}`)
    await Promise.all(keys.map((key) => store().commit([put('c', key, key)])))
    expect(await keysOf(store(), 'c')).toEqual(keys)
  })

  it.for([1, 2, 3])('agrees with a plain map through a long history (seed %i)', async (seed) => {
    const entropy = seededEntropy(seed)
    const model = new Map<string, Uint8Array>()
    for (let round = 0; round < 60; round++) {
      const changes = Array.from({ length: integerBelow(entropy, 6) }, (): RecordChange => {
        const key = `k${integerBelow(entropy, 8)}`
        const value = entropy.bytes(integerBelow(entropy, 40))
        return integerBelow(entropy, 3) === 0 ? remove('c', key) : put('c', key, value)
      })
      for (const change of changes)
        if (change.kind === 'put') model.set(change.key, change.value)
        else model.delete(change.key)
      await store().commit(changes)
    }
    const { records } = await store().load('c')
    const expected = [...model].map(([key, value]) => ({ key, value }))
    expect(records).toEqual(expected.toSorted((a, b) => (a.key < b.key ? -1 : 1)))
  })
}

interface Closing {
  readonly world: () => RecordStoreWorld
  readonly store: () => RecordStore
  /** Closes the store of the test and opens it again. */
  readonly reopen: () => Promise<RecordStore>
}

function closingCases(store: () => RecordStore): void {
  it('refuses to work after it was closed', async () => {
    await store().close()
    await expect(store().load('c')).rejects.toBeInstanceOf(UnavailableError)
    await expect(store().commit([put('c', 'k', 'x')])).rejects.toBeInstanceOf(UnavailableError)
  })

  it('may be closed twice', async () => {
    await store().close()
    await expect(store().close()).resolves.toBeUndefined()
  })
}

function persistenceCases({ world, store, reopen }: Closing): void {
  it('keeps everything until it is opened again', async ({ skip }) => {
    if (!world().persistent) skip('this store keeps nothing')
    await store().commit([put('a', 'k', 'one'), put('b', 'k', 'two'), put('b', 'gone', 'x')])
    await store().commit([remove('b', 'gone')])
    const reopened = await reopen()
    expect(await valueOf(reopened, 'a', 'k')).toEqual(encodeUtf8('one'))
    expect(await reopened.load('b')).toEqual({
      records: [{ key: 'k', value: encodeUtf8('two') }],
      damaged: []
    })
  })

  it('finishes what was committed when it is closed', async ({ skip }) => {
    if (!world().persistent) skip('this store keeps nothing')
    const commits = Array.from({ length: 20 }, (_, index) => store().commit([put('c', `${index}`, 'x')]))
    const closed = store().close()
    await Promise.all([...commits, closed])
    expect((await (await reopen()).load('c')).records).toHaveLength(20)
  })
}

function damageCases({ world, store, reopen }: Closing): void {
  it('reports a damaged record, never serves it, and serves all others', async ({ skip }) => {
    if (world().damage === undefined) skip('nothing can be damaged here')
    await store().commit([put('c', 'bad', 'precious'), put('c', 'good', 'fine'), put('d', 'bad', 'fine')])
    await store().close()
    await world().damage?.('c', 'bad')
    const reopened = await reopen()
    expect(await reopened.load('c')).toEqual({
      records: [{ key: 'good', value: encodeUtf8('fine') }],
      damaged: ['bad']
    })
    expect((await reopened.load('d')).damaged).toEqual([])
  })

  it('heals a damaged record by a new value or a deletion', async ({ skip }) => {
    if (world().damage === undefined) skip('nothing can be damaged here')
    await store().commit([put('c', 'rewritten', 'precious'), put('c', 'deleted', 'precious')])
    await store().close()
    await world().damage?.('c', 'rewritten')
    await world().damage?.('c', 'deleted')
    const reopened = await reopen()
    await reopened.commit([put('c', 'rewritten', 'new'), remove('c', 'deleted')])
    expect(await reopened.load('c')).toEqual({
      records: [{ key: 'rewritten', value: encodeUtf8('new') }],
      damaged: []
    })
  })
}
