import { readFileSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { catalogue } from './catalogue.ts'
import type { Flood } from './spoofed-hellos.ts'
import { page } from './table.ts'

const file = fileURLToPath(new URL('../docs/protocol/hostile-peers.md', import.meta.url))

it('the page of hostile peers lists each attack of the catalogue', () => {
  if (process.env['WRITE_TABLE'] === '1') writeFileSync(file, page())
  expect(readFileSync(file, 'utf8')).toBe(page())
})

it('no two attacks have one name', () => {
  const names = catalogue.flatMap(({ attacks }) => attacks.map(({ name }) => name))
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})

it('spoofed hellos get no more than they bring, and nothing is kept for them', () => {
  const flood = fileURLToPath(new URL('flood.ts', import.meta.url))
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', flood, '200000'], {
    encoding: 'utf8'
  })
  expect(stderr).not.toMatch(/Error/)
  const figures = JSON.parse(stdout) as Flood
  expect(figures).toMatchObject({ hellos: 200_000, answered: 220_000, peers: 0, deadlines: 0 })
  expect(figures.bytesOutPerByteIn).toBeLessThanOrEqual(1)
  expect(figures.packetsOutPerPacketIn).toBeLessThanOrEqual(1)
  expect(figures.residentBytesGrown).toBeLessThan(5e6)
})
