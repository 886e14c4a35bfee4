import { decodeUtf8, encodeUtf8, UnavailableError } from '@breakwater/core'
import { LEASE_MS } from '@breakwater/dots'
import type { ChangesOfOthers, RecordChange, Revision, SharedRecordStore } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** A place where servers share a store. Each test gets a fresh, empty one. */
export interface SharedRecordStoreWorld {
  /** The port of one more server. */
  open(): Promise<SharedRecordStore>
  /** Lets time pass for the store. */
  pass(milliseconds: number): void
  close(): Promise<void>
}

const COLLECTION = 'mitigation'

/** The suite that every `SharedRecordStore` must pass, besides that of `RecordStore`. */
export function sharedRecordStoreContract(
  name: string,
  makeWorld: () => Promise<SharedRecordStoreWorld>
): void {
  describe(`shared record store contract: ${name}`, () => {
    let world: SharedRecordStoreWorld
    let one: SharedRecordStore
    let other: SharedRecordStore
    beforeEach(async () => {
      world = await makeWorld()
      one = await world.open()
      other = await world.open()
    })
    afterEach(async () => {
      await one.close()
      await other.close()
      await world.close()
    })

    changeCases(
      () => one,
      () => other
    )
    commitCases(
      () => one,
      () => other
    )
    leadCases(
      () => world,
      () => one,
      () => other
    )
  })
}

function put(key: string, value: string): RecordChange {
  return { kind: 'put', collection: COLLECTION, key, value: encodeUtf8(value) }
}

function remove(key: string): RecordChange {
  return { kind: 'delete', collection: COLLECTION, key }
}

function changesOf({ changes }: ChangesOfOthers): string[] {
  return changes
    .map((change) => `${change.key}=${change.kind === 'put' ? decodeUtf8(change.value) : 'gone'}`)
    .toSorted()
}

function changeCases(one: () => SharedRecordStore, other: () => SharedRecordStore): void {
  it('tells what others have put and deleted, with the latest of each', async () => {
    await one().commit([put('a', '1'), put('b', '1')])
    const seen = await other().revision()
    await one().commit([put('a', '2')])
    await one().commit([put('a', '3'), remove('b')])
    const others = await other().changes(COLLECTION, seen)
    expect(changesOf(others)).toEqual(['a=3', 'b=gone'])
    expect(others.revision).toBeGreaterThan(seen)
    expect(others.isWhole).toBe(false)
  })

  it('tells each change once to who says what it has seen', async () => {
    await one().commit([put('a', '1')])
    const { revision } = await other().changes(COLLECTION, 0 as Revision)
    expect(changesOf(await other().changes(COLLECTION, revision))).toEqual([])
  })

  it('does not tell a server its own changes, nor those of another collection', async () => {
    const seen = await one().revision()
    await one().commit([put('a', '1')])
    await other().commit([{ kind: 'put', collection: 'elsewhere', key: 'b', value: encodeUtf8('1') }])
    expect(changesOf(await one().changes(COLLECTION, seen))).toEqual([])
  })

  it('gives everything to who has seen too little', async () => {
    const seen = await other().revision()
    await one().commit([put('old', '1')])
    for (let round = 0; round < 30; round++)
      await one().commit(Array.from({ length: 500 }, (_, index) => put(`${index}`, `${round}`)))
    await one().commit([remove('0')])
    const others = await other().changes(COLLECTION, seen)
    expect(others.isWhole).toBe(true)
    const keys = others.changes.map((change) => `${change.kind} ${change.key}`)
    expect(keys).toContain('put old')
    expect(keys).not.toContain('put 0')
  })

  it('answers in the order in which it was asked', async () => {
    const answers: string[] = []
    const seen = await one().revision()
    await Promise.all([
      one()
        .commitAsOf(seen, COLLECTION, [put('a', '1')])
        .then(() => answers.push('first')),
      one()
        .changes(COLLECTION, seen)
        .then(() => answers.push('second')),
      one()
        .commitAsOf(seen, COLLECTION, [put('b', '1')])
        .then(() => answers.push('third')),
      one()
        .beat(encodeUtf8('x'))
        .then(() => answers.push('fourth'))
    ])
    expect(answers).toEqual(['first', 'second', 'third', 'fourth'])
  })
}

function commitCases(one: () => SharedRecordStore, other: () => SharedRecordStore): void {
  it('commits what was decided on all there is', async () => {
    const seen = await one().revision()
    expect(await one().commitAsOf(seen, COLLECTION, [put('a', '1')])).toEqual({ kind: 'committed' })
    // Its own commits are none that it would have to see.
    expect(await one().commitAsOf(seen, COLLECTION, [put('b', '1')])).toEqual({ kind: 'committed' })
    expect((await other().load(COLLECTION)).records.map(({ key }) => key)).toEqual(['a', 'b'])
  })

  it('applies nothing of what was decided without a change of others, and says what that was', async () => {
    const seen = await one().revision()
    await other().commitAsOf(await other().revision(), COLLECTION, [put('a', 'theirs')])
    const outcome = await one().commitAsOf(seen, COLLECTION, [put('a', 'ours'), put('b', 'ours')])
    if (outcome.kind !== 'outdated') throw new Error('it was applied')
    expect(changesOf(outcome.others)).toEqual(['a=theirs'])
    expect((await one().load(COLLECTION)).records).toEqual([{ key: 'a', value: encodeUtf8('theirs') }])
    const again = await one().commitAsOf(outcome.others.revision, COLLECTION, [put('a', 'ours')])
    expect(again).toEqual({ kind: 'committed' })
  })

  it('loses no acknowledged change of two that write at the same time', async () => {
    const write = async (store: SharedRecordStore, name: string): Promise<void> => {
      let seen = await store.revision()
      for (let index = 0; index < 30; index++)
        for (;;) {
          const outcome = await store.commitAsOf(seen, COLLECTION, [put(`${name} ${index}`, 'x')])
          if (outcome.kind === 'committed') break
          seen = outcome.others.revision
        }
    }
    await Promise.all([write(one(), 'one'), write(other(), 'other')])
    expect((await one().load(COLLECTION)).records).toHaveLength(60)
  })

  it('is not outdated by a beat', async () => {
    const seen = await one().revision()
    await other().beat(encodeUtf8('hello'))
    expect(await one().commitAsOf(seen, COLLECTION, [put('a', '1')])).toEqual({ kind: 'committed' })
  })
}

function leadCases(
  world: () => SharedRecordStoreWorld,
  one: () => SharedRecordStore,
  other: () => SharedRecordStore
): void {
  it('lets one server lead, and tells each the last notice of the others', async () => {
    expect(await beat(one(), 'old')).toEqual([true, []])
    expect(await beat(other(), 'b')).toEqual([false, ['old']])
    expect(await beat(one(), 'new')).toEqual([true, ['b']])
    expect(await beat(other(), 'b')).toEqual([false, ['new']])
  })

  it('lets another one lead when the first was not heard for the lease, and no sooner', async () => {
    await beat(one(), 'a')
    world().pass(LEASE_MS - 500)
    expect(await beat(other(), 'b')).toEqual([false, ['a']])
    world().pass(600)
    expect(await beat(other(), 'b')).toEqual([true, []])
    expect(await beat(one(), 'a')).toEqual([false, ['b']])
  })

  it('lets another one lead at once when the first has closed the store', async () => {
    await beat(one(), 'a')
    await one().close()
    expect(await beat(other(), 'b')).toEqual([true, []])
  })

  it('refuses to work after it was closed', async () => {
    await one().close()
    for (const call of [
      () => one().revision(),
      () => one().changes(COLLECTION, 0 as Revision),
      () => one().commitAsOf(0 as Revision, COLLECTION, []),
      () => one().beat(encodeUtf8(''))
    ])
      await expect(call()).rejects.toBeInstanceOf(UnavailableError)
  })
}

async function beat(store: SharedRecordStore, notice: string): Promise<readonly [boolean, string[]]> {
  const { leads, notices } = await store.beat(encodeUtf8(notice))
  return [leads, notices.map((each) => decodeUtf8(each))]
}
