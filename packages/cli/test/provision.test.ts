import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { dots } from './run-dots.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-provision-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const lease = { reason: 'BOUND', interface: 'wan1', new_ip_address: '198.51.100.7', new_routers: 'none' }

/** Writes down every module that is loaded. */
const counting = `import { registerHooks } from 'node:module'
const names = []
registerHooks({ load: (url, context, next) => { names.push(url); return next(url, context) } })
process.on('exit', () => process.stderr.write(names.join(' ')))`

it('dots provision writes what a DHCP client says, and names what it leaves out', async () => {
  const words = ['provision', '--client', 'dhclient', '--directory', folder, '--json']
  const { code, stdout } = await dots(words, lease)
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    written: ['dhclient4.wan1.json'],
    removed: [],
    complaints: ['new_routers names what is no address']
  })
  const [name = ''] = readdirSync(folder)
  expect(JSON.parse(readFileSync(join(folder, name), 'utf8'))).toMatchObject({ interface: 'wan1' })
})

// A DHCP client waits for its hook: an agent with its libraries, once on this way, took most of a second.
it('dots provision loads no agent, no DNS, and none of their libraries', async () => {
  const hook = `--import=data:text/javascript,${encodeURIComponent(counting)}`
  const words = ['provision', '--client', 'dhclient', '--directory', folder]
  const { code, stderr } = await dots(words, { ...lease, NODE_OPTIONS: hook })
  expect(code).toBe(0)
  expect(stderr).toContain('/hook-event.ts')
  expect(stderr).not.toMatch(/(agents|dots|runtime)\/src\/index\.ts|fastify|yaml|dns-packet|x509|zod/)
})

it.each([
  ['an unknown client', ['--client', 'dhcp']],
  ['a domain of no name', ['--client', 'dhclient', '--domain', 'a b']]
])('dots provision refuses %s', async (_what, words) => {
  const { code, stderr } = await dots(['provision', ...words, '--directory', folder], lease)
  expect([code, readdirSync(folder)]).toEqual([2, []])
  expect(stderr).toContain('must be')
})
