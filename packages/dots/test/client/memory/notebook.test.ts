import { Seconds, UnavailableError, encodeUtf8 } from '@breakwater/core'
import { VirtualClock } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { Notebook } from '../../../src/client/memory/notebook.ts'
import type { RecordChange, RecordStore } from '../../../src/domain/record-store.ts'

/** A store whose commits end when the test says so. */
class HeldStore implements RecordStore {
  readonly commits: (readonly RecordChange[])[] = []
  readonly #open: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []

  load(): ReturnType<RecordStore['load']> {
    return Promise.resolve({ records: [{ key: 'a', value: encodeUtf8('1') }], damaged: ['b'] })
  }

  commit(changes: readonly RecordChange[]): Promise<void> {
    this.commits.push(changes)
    return new Promise((resolve, reject) => this.#open.push({ resolve, reject }))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async end(problem?: Error): Promise<void> {
    const { resolve, reject } = this.#open.shift()!
    if (problem === undefined) resolve()
    else reject(problem)
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
}

function put(key: string, text: string): RecordChange {
  return { kind: 'put', collection: 'c', key, value: encodeUtf8(text) }
}

function setUp(): { store: HeldStore; clock: VirtualClock; notebook: Notebook; heard: string[] } {
  const store = new HeldStore()
  const clock = new VirtualClock()
  const heard: string[] = []
  const notebook = new Notebook(store, clock, {
    onDamaged: (collection, key) => heard.push(`damaged ${collection}/${key}`),
    onFailure: (reason) => heard.push(reason)
  })
  return { store, clock, notebook, heard }
}

const full = new UnavailableError('STORE_FAILED', 'the disk is full', true)

describe('a notebook', () => {
  it('gathers what is noted while a commit is under way; of each record the latest counts', async () => {
    const { store, notebook } = setUp()
    const first = notebook.note(put('a', '1'))
    const others = [notebook.note(put('b', '2')), notebook.note(put('b', '3')), notebook.note(put('c', '4'))]
    expect(store.commits).toEqual([[put('a', '1')]])
    await store.end()
    expect(await first).toBe(true)
    expect(store.commits[1]).toEqual([put('b', '3'), put('c', '4')])
    await store.end()
    expect(await Promise.all(others)).toEqual([true, true, true])
  })

  it('says once that the store fails, tries again, and does not put the old over the new', async () => {
    const { store, clock, notebook, heard } = setUp()
    const first = notebook.note(put('a', '1'))
    const second = notebook.note(put('a', '2'))
    await store.end(full)
    expect(await first).toBe(false)
    await store.end(full)
    expect(await second).toBe(false)
    await clock.advance(Seconds(5))
    expect(store.commits).toEqual([[put('a', '1')], [put('a', '2')], [put('a', '2')]])
    await store.end()
    expect(heard).toEqual(['UnavailableError: the disk is full'])
    await notebook.close()
  })

  it('serves what is whole and reports what is damaged', async () => {
    const { notebook, heard } = setUp()
    expect((await notebook.load('c')).map(({ key }) => key)).toEqual(['a'])
    expect(heard).toEqual(['damaged c/b'])
  })

  it('stores what waits before it closes, and nothing afterwards', async () => {
    const { store, notebook } = setUp()
    void notebook.note(put('a', '1'))
    const closing = notebook.close()
    await store.end()
    await closing
    expect(await notebook.note(put('b', '2'))).toBe(false)
    expect(store.commits).toHaveLength(1)
  })
})
