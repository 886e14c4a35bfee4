import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnavailableError } from '@breakwater/core'
import { DomainName } from '@breakwater/dots'
import { ToldConfigurations } from '@breakwater/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { dropDirectory } from '../../../src/provisioning/drop-directory.ts'
import { applyToDropDirectory } from '../../../src/provisioning/hook/drop-writer.ts'
import { hookOutcome } from '../../../src/provisioning/hook/hook-event.ts'

const lease = { reason: 'BOUND6', interface: 'wan1', new_ip6_prefix: '2001:db8:a::/56', new_max_life: '600' }

let parent: string
let folder: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'breakwater-hook-'))
  folder = join(parent, 'run', 'provisioning')
})
afterEach(() => rmSync(parent, { recursive: true }))

it('what a hook writes is what a client reads, the domain included', async () => {
  await applyToDropDirectory(folder, hookOutcome('dhclient', [], lease), DomainName('isp-a'))
  const told = new ToldConfigurations()
  const watch = dropDirectory({ path: folder, clock: systemClock() }).watch(told)
  await watch.ready
  await watch.close()
  expect([told.texts(), told.refusals]).toEqual([['isp-a wan1 2001:db8:a::/56'], []])
  expect(told.lifetimes()[0]).toBeGreaterThan(590)
  expect(statSync(folder).mode & 0o777).toBe(0o755)
})

it('a hook takes away its own files and no others', async () => {
  await applyToDropDirectory(folder, hookOutcome('dhclient', [], lease))
  writeFileSync(join(folder, 'dhclient6.wan10.x.json'), '{}')
  writeFileSync(join(folder, 'dhclient4.wan1.json'), '{}')
  const change = await applyToDropDirectory(
    folder,
    hookOutcome('dhclient', [], { reason: 'STOP6', interface: 'wan1' })
  )
  expect(change.removed).toEqual(['dhclient6.wan1.2001:db8:a::+2f56.json'])
  expect(readdirSync(folder)).toEqual(['dhclient4.wan1.json', 'dhclient6.wan10.x.json'])
})

it('a hook writes through no link that lies in its way', async () => {
  await applyToDropDirectory(folder, hookOutcome('dhclient', [], lease))
  const name = 'dhclient6.wan1.2001:db8:a::+2f56.json'
  writeFileSync(join(parent, 'victim'), 'mine')
  symlinkSync(join(parent, 'victim'), join(folder, `.${name}.${process.pid}.tmp`))
  await applyToDropDirectory(folder, hookOutcome('dhclient', [], lease))
  expect(statSync(join(parent, 'victim')).size).toBe(4)
  expect(readdirSync(folder)).toEqual([name])
})

it('a folder that cannot be written is said to be none', async () => {
  writeFileSync(join(parent, 'run'), '')
  await expect(applyToDropDirectory(folder, hookOutcome('dhclient', [], lease))).rejects.toBeInstanceOf(
    UnavailableError
  )
})
