import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { ToldConfigurations, provisioningSourceContract } from '@breakwater/testing'
import type { ProvisioningWatch } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DropWorld } from './drop-world.ts'

provisioningSourceContract('drop directory', () => new DropWorld())

const good = {
  version: 1,
  interface: 'wan-a',
  origin: 'pco',
  addresses: [{ address: '203.0.113.5' }],
  resolvers: [{ address: '192.0.2.53' }]
}
function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 15_000, interval: 5 })
}

const goodText = 'wan-a 203.0.113.5 dns 192.0.2.53'

describe('a drop directory', () => {
  let world: DropWorld
  let told: ToldConfigurations
  let watch: ProvisioningWatch | undefined
  const open = async (): Promise<void> => {
    watch = world.source.watch(told)
    await watch.ready
  }

  beforeEach(() => {
    world = new DropWorld()
    told = new ToldConfigurations()
  })
  afterEach(async () => {
    await watch?.close()
    world.close()
  })

  const refusedFiles: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ['half written', (path) => writeFileSync(path, JSON.stringify(good).slice(0, 40)), /half written/],
    ['empty', (path) => writeFileSync(path, ''), /not JSON/],
    ['huge', (path) => writeFileSync(path, `{"version":1,"a":"${'x'.repeat(70_000)}"}`), /longer than 65536/],
    ['a deep nest', (path) => writeFileSync(path, '['.repeat(60_000)), /not JSON/],
    ['no text', (path) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0, 0x80])), /not JSON/],
    ['a symbolic link', (path) => symlinkSync('/etc/hostname', path), /symbolic link/],
    ['a link that leads nowhere', (path) => symlinkSync('/no/such/file', path), /symbolic link/],
    ['a named pipe', (path) => void execFileSync('mkfifo', [path]), /not a file/],
    ['a folder', (path) => mkdirSync(path), /not a file/],
    [
      'open to others',
      (path) => {
        writeFileSync(path, JSON.stringify(good))
        chmodSync(path, 0o666)
      },
      /others may write it \(mode 0666\)/
    ]
  ]
  it.each(refusedFiles)('refuses what is %s, and takes what is beside it', async (_what, make, reason) => {
    make(world.path('bad.json'))
    world.drop('good.json', good)
    await open()
    expect(told.texts()).toEqual([goodText])
    expect(told.refusals).toEqual([expect.stringMatching(reason)])
    expect(told.refusals[0]).toContain(world.path('bad.json'))
  })

  it.skipIf(process.getuid?.() !== 0)('refuses what belongs to somebody else', async () => {
    world.drop('bad.json', good)
    chownSync(world.path('bad.json'), 65_534, 65_534)
    await open()
    expect(told.refusals).toEqual([expect.stringMatching(/belongs to user 65534/)])
    expect(told.texts()).toEqual([])
  })

  it('refuses a folder that others may write, whatever lies in it', async () => {
    world.drop('good.json', good)
    chmodSync(world.folder, 0o777)
    await open()
    expect(told.texts()).toEqual([])
    expect(told.refusals).toEqual([expect.stringMatching(/others may write it \(mode 0777\)/)])
  })

  it('leaves alone what has no name of ours: it is being written, or hidden', async () => {
    for (const name of ['.good.json', 'good.json.tmp', 'good', '-.json', 'a b.json'])
      writeFileSync(world.path(name), JSON.stringify(good))
    await open()
    expect([told.texts(), told.refusals]).toEqual([[], []])
  })

  it('takes 256 files and says that there are more', async () => {
    for (let n = 0; n < 300; n++)
      writeFileSync(world.path(`${String(n).padStart(3, '0')}.json`), JSON.stringify(good))
    await open()
    expect(told.byKey.size).toBe(256)
    expect(told.refusals).toEqual([expect.stringMatching(/300 files; the first 256/)])
  })

  it('holds on to what a file said before it broke, until it goes', async () => {
    world.drop('a.json', good)
    await open()
    writeFileSync(world.path('a.json'), '{')
    await until(() => expect(told.refusals).toHaveLength(1))
    expect(told.texts()).toEqual([goodText])
    rmSync(world.path('a.json'))
    await until(() => expect(told.texts()).toEqual([]))
  })

  it('takes a file that is finished later', async () => {
    const text = JSON.stringify(good)
    writeFileSync(world.path('a.json'), text.slice(0, 20))
    await open()
    expect(told.refusals).toHaveLength(1)
    appendFileSync(world.path('a.json'), text.slice(20))
    await until(() => expect(told.texts()).toEqual([goodText]))
  })

  it('reads a file again only when it was written again', async () => {
    world.drop('a.json', good)
    await open()
    expect(told.calls).toBe(1)
    world.drop('b.json', good)
    await until(() => expect(told.byKey.size).toBe(2))
    expect(told.calls).toBe(2)
    world.drop('a.json', good)
    await until(() => expect(told.calls).toBe(3))
  })

  it('finds a folder that is made later, and another one in its place', async () => {
    rmSync(world.folder, { recursive: true })
    await open()
    expect(told.refusals).toEqual([`${world.folder}: it does not exist`])
    mkdirSync(world.folder, { mode: 0o755 })
    world.drop('a.json', good)
    await until(() => expect(told.texts()).toEqual([goodText]))
    renameSync(world.folder, `${world.folder}-old`)
    mkdirSync(world.folder, { mode: 0o755 })
    world.drop('b.json', { ...good, interface: 'wan-b' })
    await until(() => expect(told.texts()).toEqual(['wan-b 203.0.113.5 dns 192.0.2.53']))
    rmSync(`${world.folder}-old`, { recursive: true })
  })
})
