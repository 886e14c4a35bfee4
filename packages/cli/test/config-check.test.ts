import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { dots } from './run-dots.ts'

const folder = mkdtempSync(join(tmpdir(), 'breakwater-check-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('dots config check', () => {
  it('tells by its keys which agent a configuration is for, and warns', async () => {
    const file = write('client.yaml', 'domains:\n  - name: isp-a\n    prefixes: [203.0.113.0/24]\n')
    const { code, stdout } = await dots(['config', 'check', file])
    expect(code).toBe(0)
    expect(stdout).toContain('a good configuration of a client')
    expect(stdout).toContain('warning: line 2: domains[0]: domain isp-a has no DOTS server')
  })

  it('reports every mistake with line, column and key, as text and as JSON', async () => {
    const file = write(
      'server.yaml',
      'listen: []\nclients: []\nstor: { path: x }\nmitigator: { kind: dry }\n'
    )
    const text = await dots(['config', 'check', file])
    expect([text.code, text.stdout]).toEqual([2, ''])
    expect(text.stderr).toContain(
      'line 4, column 20: mitigator.kind: must be "dry-run" or "nftables", not "dry"'
    )
    const json = await dots(['config', 'check', file, '--json'])
    expect([json.code, json.stderr]).toEqual([2, ''])
    const { error } = JSON.parse(json.stdout) as {
      error: { code: string; problems: { path: string; line: number }[] }
    }
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.problems.map(({ path, line }) => `${line} ${path}`)).toEqual([
      '1 listen',
      '1 ',
      '1 ',
      '2 clients',
      '3 stor',
      '4 mitigator.kind'
    ])
  })

  it('takes the role from the command line when it is given', async () => {
    const file = write('empty.yaml', '{}\n')
    expect((await dots(['config', 'check', file, '--role', 'server'])).stderr).toContain(
      '"mitigator" is missing'
    )
    expect((await dots(['config', 'check', file, '--role', 'client'])).stderr).toContain(
      '"domains" is missing'
    )
    expect((await dots(['config', 'check', file, '--role', 'gateway'])).code).toBe(2)
  })

  it('says so when there is no such file', async () => {
    const { code, stderr } = await dots(['config', 'check', join(folder, 'none.yaml')])
    expect(code).toBe(2)
    expect(stderr).toContain('none.yaml cannot be read')
  })
})
