import { Minutes, Seconds, UnavailableError, WallTime, encodeUtf8 } from '@breakwater/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Notebook } from '../../src/client/memory/notebook.ts'
import { ProtectionId } from '../../src/domain/identifier.ts'
import type { ProtectionRequest } from '../../src/client/protection.ts'
import type { RecordChange, RecordStore } from '../../src/domain/record-store.ts'
import { TestStore, TwoProviders, targetOf } from './two-providers.ts'

let world: TwoProviders
let store: RecordStore
let troubles: string[]
let lastLife: { isDead: boolean }
let notebooks: Notebook[]

beforeEach(() => {
  world = new TwoProviders()
  store = new TestStore()
  troubles = []
  notebooks = []
})

afterEach(async () => {
  expect(world.wrongServerRequests()).toEqual([])
  await world.client.close()
  for (const notebook of notebooks) await notebook.close()
  await world.close()
})

function wanted(id: string, ...prefixes: string[]): ProtectionRequest {
  const target = targetOf(...prefixes)
  return { id: ProtectionId(id), target, lifetime: 3600, allowPartial: false, require: 'all' }
}

const web = wanted('web', '198.51.100.7/32')
const own = wanted('own', '203.0.113.0/28')

/** Takes changes, and says so when it is told to. */
class SlowStore extends TestStore {
  #finish: () => void = () => undefined
  readonly #isFinished = new Promise<void>((resolve) => {
    this.#finish = resolve
  })

  finish(): void {
    this.#finish()
  }

  override async commit(changes: readonly RecordChange[]): Promise<void> {
    await super.commit(changes)
    await this.#isFinished
  }
}

/** A life of the client that remembers; `wants` is what the operator's archive says. */
async function startLife(...protections: readonly ProtectionRequest[]): Promise<void> {
  const life: { isDead: boolean } = { isDead: false }
  lastLife = life
  // What a killed process would still write is lost.
  const disk: RecordStore = {
    load: (collection) => store.load(collection),
    commit: (changes) => (life.isDead ? Promise.resolve() : store.commit(changes)),
    close: () => Promise.resolve()
  }
  const notebook = new Notebook(disk, world.clock, {
    onDamaged: (collection, key) => troubles.push(`damaged ${collection} ${key}`),
    onFailure: (reason) => troubles.push(`failed ${reason}`)
  })
  notebooks.push(notebook)
  world.startClient({ notebook, protections })
  await world.advance(Seconds(1))
}

/** The process is gone without a word; its sockets are, too. */
async function kill(): Promise<void> {
  lastLife.isDead = true
  world.siteHost.crash()
  await world.client.close()
  await world.advance(Seconds(1))
}

function requests(): string[] {
  const { requests: all } = world.client.status()
  return all.map((each) => `${each.server} ${each.mitigationId} ${each.state}`)
}

describe('a client that was killed and starts again', () => {
  it('goes on with what it asked: same ids, and neither a second request nor a withdrawal', async () => {
    await world.start()
    await world.client.close()
    await startLife()
    for (const each of [web, own]) world.client.protect(each)
    await world.advance(Seconds(2))
    const before = requests()
    expect(before).toHaveLength(3)
    const asked = world.mitigationRequests().length
    await kill()
    await startLife(web, own)
    await world.advance(Seconds(5))
    expect(requests().toSorted()).toEqual(before.toSorted())
    expect(world.mitigated()).toHaveLength(3)
    const since = world.sent.filter((each) => each.mitigationId !== undefined).slice(asked)
    expect(since.filter((each) => each.method === 'PUT' || each.method === 'DELETE')).toEqual([])
  })

  it('asks again for what has no answer yet, under the same id', async () => {
    await startLife()
    world.client.protect(web)
    await world.advance(Seconds(1))
    await kill()
    await world.startServer('isp-a')
    await startLife(web)
    await world.advance(Seconds(5))
    expect(world.state('web')).toBe('protected')
    await kill()
    const [first] = requests()
    await startLife(web)
    await world.advance(Seconds(5))
    expect(requests()[0]).toBe(first)
  })

  it('withdraws nothing where one provider is asked after another before the next one protects it', async () => {
    const inTurn: ProtectionRequest = { ...wanted('own', '203.0.113.7/32'), policy: 'serial' }
    await world.startServer('isp-b')
    await startLife()
    world.client.protect(inTurn)
    await world.advance(Seconds(2))
    expect(world.mitigated()).toEqual(['isp-b: 203.0.113.7/32'])
    await kill()
    // The one before it is there now, and slow to answer; who protects it takes longer to find.
    const disk = new SlowStore()
    await world.startServer('isp-a', { store: disk })
    world.siteHost.link('wan-b').cut()
    await startLife(inTurn)
    world.siteHost.link('wan-b').mend()
    await world.advance(Seconds(15))
    expect(requests().map((each) => each.replace(/ \d+/, ''))).toEqual(['isp-a asking', 'isp-b in-force'])
    expect(world.mitigationRequests()).not.toContain('DELETE isp-b')
    disk.finish()
    await world.advance(Minutes(5))
    expect(world.mitigated()).toEqual(['isp-a: 203.0.113.7/32'])
    expect(world.state('own')).toBe('protected')
    expect(requests()).toHaveLength(1)
  })

  it('withdraws what its operator released while it was down', async () => {
    await world.start()
    await world.client.close()
    await startLife()
    world.client.protect(web)
    await world.advance(Seconds(2))
    expect(world.mitigated()).toHaveLength(1)
    await kill()
    await startLife()
    await world.advance(Seconds(5))
    expect(world.mitigationRequests().at(-1)).toBe('DELETE isp-a')
    expect(requests()).toEqual([])
    await world.advance(Minutes(3))
    expect(world.mitigated()).toEqual([])
  })

  it('gives ids that exceed all before, also when its calendar was set back in between [RFC9132-4.4.1.1-M09]', async () => {
    await world.start()
    await world.client.close()
    await startLife()
    for (let count = 0; count < 5; count++) {
      world.client.protect(wanted(`p-${count}`, `198.51.100.${count}/32`))
      await world.advance(Seconds(1))
    }
    const ids = world.client.status().requests.map((each) => each.mitigationId)
    await kill()
    world.clock.setWallClock(WallTime(946_684_800_000))
    await startLife()
    world.client.protect(wanted('later', '198.51.100.77/32'))
    await world.advance(Seconds(3))
    const later = world.sent.findLast((each) => each.method === 'PUT' && each.mitigationId !== undefined)
    expect(later?.prefixes).toHaveLength(1)
    expect(later?.mitigationId).toBeGreaterThan(Math.max(...ids))
  })

  it('has its ids on the disk before the first request leaves, and does not wait long for a slow one', async () => {
    await world.startServer('isp-a')
    let isStored = false
    const slow: RecordStore = {
      load: (collection) => store.load(collection),
      close: () => store.close(),
      commit: async (changes) => {
        await new Promise<void>((resolve) => {
          const at = world.clock.now() + 500
          world.clock.schedule(at as ReturnType<typeof world.clock.now>, resolve)
        })
        await store.commit(changes)
        isStored = true
      }
    }
    const notebook = new Notebook(slow, world.clock, {
      onDamaged: () => undefined,
      onFailure: () => undefined
    })
    notebooks.push(notebook)
    world.startClient({ notebook })
    world.client.protect(web)
    await world.clock.runUntil(() => world.mitigationRequests().length > 0, Seconds(10))
    expect(isStored).toBe(true)
    await world.advance(Seconds(3))
    expect((await store.load('numberings')).records.length).toBeGreaterThan(0)
  })

  it('protects without a disk', async () => {
    await world.startServer('isp-a')
    const broken: RecordStore = {
      load: () => Promise.reject(new UnavailableError('STORE_FAILED', 'no disk', true)),
      commit: () => Promise.reject(new UnavailableError('STORE_FAILED', 'no disk', true)),
      close: () => Promise.resolve()
    }
    store = broken
    await startLife(web)
    await world.advance(Seconds(3))
    expect(world.state('web')).toBe('protected')
    expect(troubles).toEqual(['failed UnavailableError: no disk'])
  })

  it('leaves a record of a version to come alone, says so, and asks anew', async () => {
    await world.start()
    await world.client.close()
    await startLife()
    world.client.protect(web)
    await world.advance(Seconds(2))
    const [record] = (await store.load('requests')).records
    await kill()
    const value = encodeUtf8('{"version":2,"prefixes":["198.51.100.7/32"]}')
    await store.commit([{ kind: 'put', collection: 'requests', key: record!.key, value }])
    await startLife(web)
    await world.advance(Seconds(5))
    const expected = { kind: 'record-damaged', key: record!.key, reason: 'its version is not 1' }
    expect(world.events).toContainEqual(expect.objectContaining(expected))
    expect(world.state('web')).toBe('protected')
    expect((await store.load('requests')).records).toContainEqual({ key: record!.key, value })
  })

  it('says so when a record is damaged, and asks anew', async () => {
    await world.start()
    await world.client.close()
    await startLife()
    world.client.protect(web)
    await world.advance(Seconds(2))
    const [record] = (await store.load('requests')).records
    await kill()
    const value = encodeUtf8('{"version":1,"prefixes":["198.51.100.7/33"]}')
    await store.commit([{ kind: 'put', collection: 'requests', key: record!.key, value }])
    await startLife(web)
    await world.advance(Seconds(5))
    expect(world.events).toContainEqual(expect.objectContaining({ kind: 'record-damaged', key: record!.key }))
    expect(world.state('web')).toBe('protected')
    expect(world.mitigated()).toHaveLength(1)
  })
})
