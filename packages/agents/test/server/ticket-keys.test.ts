import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Minutes, Seconds, toHex } from '@breakwater/core'
import type { Log } from '@breakwater/core'
import { seededEntropy, VirtualClock } from '@breakwater/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TicketKeys } from '../../src/server/ticket-keys.ts'

let folder: string
let path: string
let clock: VirtualClock
let logged: string[]
const entropy = seededEntropy(1)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-'))
  path = join(folder, 'made', 'tickets')
  clock = new VirtualClock()
  logged = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const note = (event: string): void => void logged.push(event)
const log: Log = { debug: note, info: note, warn: note, error: note }
const open = (): Promise<TicketKeys> => TicketKeys.open({ path, clock, entropy, log })
const texts = (keys: readonly Uint8Array[]): string[] => keys.map((key) => toHex(key))
const hours = (count: number): ReturnType<typeof Minutes> => Minutes(count * 60)

describe('the keys of a server’s tickets', () => {
  it('are the same after a restart, from a file for its own account alone', async () => {
    const first = await open()
    const made = texts(first.current)
    expect(made).toHaveLength(1)
    await first.close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const second = await open()
    expect(texts(second.current)).toEqual(made)
    await second.close()
    expect(logged).toEqual([])
    expect(readdirSync(join(folder, 'made'))).toEqual(['tickets'])
  })

  it('change every 84 hours; the one before still opens for as long again', async () => {
    const keys = await open()
    const heard: string[][] = []
    keys.onChange((all) => heard.push(texts(all)))
    const [first] = texts(keys.current)
    await clock.advance(hours(83))
    expect(heard).toEqual([])
    await clock.advance(hours(1))
    const [second] = texts(keys.current)
    expect(heard).toEqual([[second, first]])
    await clock.advance(hours(84))
    const [third] = texts(keys.current)
    expect(texts(keys.current)).toEqual([third, second])
    expect(new Set([first, second, third]).size).toBe(3)
    await keys.close()
    expect(readFileSync(path, 'utf8')).not.toContain(first)
  })

  it('are as old after a restart as they were before', async () => {
    const before = await open()
    const [first] = texts(before.current)
    await clock.advance(hours(80))
    await before.close()
    await clock.advance(hours(3))
    const after = await open()
    expect(texts(after.current)).toEqual([first])
    await clock.advance(hours(1))
    expect(texts(after.current)[1]).toBe(first)
    await after.close()
    await clock.advance(hours(200))
    const late = await open()
    expect(texts(late.current)).not.toContain(first)
    expect(texts(late.current)).toHaveLength(1)
    await late.close()
  })

  it('are made anew when the calendar says that they come from the future', async () => {
    const before = await open()
    const made = texts(before.current)
    await before.close()
    writeFileSync(path, `${clock.wallClock() + Seconds(60)} ${made[0]}\n`)
    const after = await open()
    expect(texts(after.current)).not.toEqual(made)
    await after.close()
  })

  it.for([
    ['is damaged', 'not a key\n', 0o600],
    ['has a key that is too short', '1 abcd\n', 0o600],
    ['is open to others', '', 0o644]
  ] as const)('are made anew, which is logged, when the file %s', async ([, text, mode]) => {
    await (await open()).close()
    writeFileSync(path, text)
    chmodSync(path, mode)
    const keys = await open()
    expect(keys.current).toHaveLength(1)
    await keys.close()
    expect(logged).toEqual(['tickets.unusable'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('serve although they cannot be written', async () => {
    path = '/proc/breakwater/tickets'
    const keys = await open()
    expect(keys.current).toHaveLength(1)
    await keys.close()
    expect(logged).toEqual(['tickets.not_stored'])
    expect(existsSync(path)).toBe(false)
  })
})
