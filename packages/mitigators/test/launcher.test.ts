import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { LaunchError, Launcher } from '../src/nftables/launcher.ts'

describe('the launcher of programs', () => {
  let folder: string
  let launcher: Launcher

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'breakwater-launcher-'))
  })

  afterEach(() => {
    launcher.close()
    rmSync(folder, { recursive: true, force: true })
  })

  function open(command: readonly string[], options: { timeoutMs?: number; outputLimitBytes?: number } = {}) {
    launcher = new Launcher({ command, folder, timeoutMs: 5000, outputLimitBytes: 1_000_000, ...options })
  }

  it('tells code, output and complaints of each call apart', async () => {
    open(['sh', '-c', 'printf "$1"; printf "$2" >&2; exit $3', 'sh'])
    expect(await launcher.run(['one', 'two', '0'])).toEqual({ code: 0, stdout: 'one', stderr: 'two' })
    expect(await launcher.run(['*', 'four\\n', '3'])).toEqual({ code: 3, stdout: '*', stderr: 'four\n' })
  })

  it('gives the program no input, and none of the calls that follow', async () => {
    open(['cat'])
    expect(await launcher.run(['-'])).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it('takes output of a megabyte', async () => {
    open(['head', '-c'], { outputLimitBytes: 2_000_000 })
    const { stdout } = await launcher.run(['1000000', '/dev/zero'])
    expect(stdout).toHaveLength(1_000_000)
  })

  it('says by code 127 that there is no such program', async () => {
    open(['/nonexistent/program'])
    expect((await launcher.run(['x'])).code).toBe(127)
  })

  it('ends a program that takes too long, and starts the next', async () => {
    open(['sh', '-c', 'sleep $1; echo awake', 'sh'], { timeoutMs: 300 })
    await expect(launcher.run(['30'])).rejects.toEqual(new LaunchError('timeout'))
    expect((await launcher.run(['0'])).stdout).toBe('awake\n')
  })

  it('ends a program that says too much', async () => {
    open(['yes'], { outputLimitBytes: 100_000 })
    await expect(launcher.run(['more'])).rejects.toEqual(new LaunchError('output-too-long'))
  })

  it('aborts a call when it is closed', async () => {
    open(['sleep'])
    const call = launcher.run(['30'])
    launcher.close()
    await expect(call).rejects.toEqual(new LaunchError('launcher-died'))
  })

  it('refuses arguments that the shell would split', () => {
    open(['echo'])
    expect(() => launcher.run(['two words'])).toThrow('a blank in the arguments')
  })
})
