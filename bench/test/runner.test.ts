import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const runner = join(import.meta.dirname, '../main.ts')

function bench(...args: readonly string[]) {
  return spawnSync(process.execPath, [runner, ...args], { encoding: 'utf8', timeout: 50_000 })
}

describe('npm run bench', () => {
  it('prints one JSON object a line, with a ceiling of the same run', () => {
    const { status, stdout } = bench('--json', '--only', 'placement')
    expect(status).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(1)
    // How fast this machine is, is no matter of tests.
    expect(JSON.parse(stdout)).toEqual({
      name: 'placement',
      value: expect.any(Number),
      unit: '1/s',
      ceiling: expect.any(Number),
      ratio: expect.any(Number),
      what: expect.any(String)
    })
  })

  it('fails when no benchmark has the name', () => {
    const { status, stdout, stderr } = bench('--json', '--only', 'nothing-of-the-kind')
    expect(status).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain('no benchmark is named nothing-of-the-kind')
  })
})
