import { encodeUtf8, formatIpPrefix, silentLog, UnavailableError } from '@breakwater/core'
import type { Log } from '@breakwater/core'
import { Notebook, ProtectionId } from '@breakwater/dots'
import type { RecordStore } from '@breakwater/dots'
import { memoryStore } from '@breakwater/store'
import { VirtualClock } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { ProtectionArchive } from '../../src/client/protection-archive.ts'

const id = ProtectionId('p-1')
const request = {
  prefixes: ['203.0.113.0/24'],
  ports: [{ lower: 80, upper: 443 }],
  protocols: [6],
  allowPartial: true,
  lifetimeSeconds: -1,
  require: 'any' as const
}

function notebook(store: RecordStore): Notebook {
  return new Notebook(store, new VirtualClock(), { onDamaged: () => undefined, onFailure: () => undefined })
}

/** A log that keeps the events and the protections that they are about. */
function keepingLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = []
  const error: Log['error'] = (event, fields) => void lines.push(`${event} ${String(fields?.['protection'])}`)
  return { log: { ...silentLog, error }, lines }
}

describe('the archive of protections', () => {
  it('gives back after a restart what was asked for', async () => {
    const store = memoryStore()
    await new ProtectionArchive(notebook(store), silentLog).remember({ id, request })
    const [protection] = await new ProtectionArchive(notebook(store), silentLog).load()
    expect(protection).toMatchObject({ id, lifetime: 'indefinite', allowPartial: true, require: 'any' })
    expect(protection?.target.prefixes.map(formatIpPrefix)).toEqual(['203.0.113.0/24'])
    expect(protection?.target).toMatchObject({ ports: [{ lower: 80, upper: 443 }], protocols: [6] })
  })

  it('forgets what ended because its servers say that the attack is over, and nothing before', async () => {
    const archive = new ProtectionArchive(notebook(memoryStore()), silentLog)
    await archive.remember({ id, request })
    const [wanted] = await archive.load()
    const status = {
      id,
      alarm: false,
      target: wanted!.target,
      named: undefined,
      names: [],
      require: 'all',
      policy: 'all',
      servers: [],
      missing: [],
      disagreement: []
    } as const
    archive.take({ kind: 'protection', status: { ...status, state: 'ending' } })
    expect(await archive.load()).toHaveLength(1)
    archive.take({ kind: 'protection', status: { ...status, state: 'ended' } })
    expect(await archive.load()).toEqual([])
  })

  it('forgets what was released', async () => {
    const archive = new ProtectionArchive(notebook(memoryStore()), silentLog)
    await archive.remember({ id, request })
    await archive.forget(id)
    expect(await archive.load()).toEqual([])
  })

  it('leaves out and reports what nobody can read, and keeps the rest', async () => {
    const store = memoryStore()
    const values = [
      '{',
      '{}',
      '[]',
      '{"prefixes":["nonsense"]}',
      '{"prefixes":["192.0.2.1/32"],"lifetimeSeconds":0}'
    ]
    await store.commit([
      ...values.map((text, index) => ({
        kind: 'put' as const,
        collection: 'protections',
        key: `bad-${index}`,
        value: encodeUtf8(text)
      })),
      { kind: 'put', collection: 'protections', key: 'bytes', value: Uint8Array.of(0xff, 0xfe) }
    ])
    const { log, lines } = keepingLog()
    const archive = new ProtectionArchive(notebook(store), log)
    await archive.remember({ id, request })
    expect((await archive.load()).map((protection) => protection.id)).toEqual([id])
    expect(lines.toSorted()).toEqual(
      ['bad-0', 'bad-1', 'bad-2', 'bad-3', 'bad-4', 'bytes'].map((key) => `protection.damaged ${key}`)
    )
  })

  it('does not keep an operator from protecting when the disk is full', async () => {
    const { log, lines } = keepingLog()
    const full = {
      ...memoryStore(),
      commit: () => Promise.reject(new UnavailableError('STORE_FAILED', 'the disk is full', true))
    }
    await new ProtectionArchive(notebook(full), log).remember({ id, request })
    expect(lines).toEqual(['protection.not_stored p-1'])
  })
})
