import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { IpMonitor } from '../../src/interface-addresses/ip-monitor.ts'

const PATIENCE = { timeout: 15_000, interval: 5 } as const

describe('ip monitor', () => {
  let folder: string
  let monitor: IpMonitor | undefined
  let calls: number
  /** A shell script in the place of `ip`. */
  const start = (script: string): void => {
    writeFileSync(join(folder, 'ip'), `echo x >> ${folder}/starts\n${script}\n`)
    monitor = new IpMonitor({ ip: ['sh', join(folder, 'ip')], clock: systemClock(), onChange: () => calls++ })
  }
  const starts = (): number => readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n').length

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'breakwater-monitor-'))
    calls = 0
  })
  afterEach(async () => {
    await monitor?.close()
    rmSync(folder, { recursive: true })
  })

  it('is started again when it dies, and what happened meanwhile is looked for', async () => {
    start('exit 1')
    await vi.waitFor(() => expect(starts()).toBeGreaterThan(1), PATIENCE)
    await vi.waitFor(() => expect(calls).toBeGreaterThan(1), PATIENCE)
  })

  it('that is not there leaves looking from time to time', async () => {
    monitor = new IpMonitor({ ip: ['no-such-command'], clock: systemClock(), onChange: () => calls++ })
    await vi.waitFor(() => expect(calls).toBeGreaterThan(1), PATIENCE)
    expect(monitor.isWatching).toBe(false)
  })

  it('that tells ten thousand changes is listened to twice a second', async () => {
    start(
      'i=0; while [ $i -lt 10000 ]; do echo change; i=$((i+1)); done; echo done > "$0.done"; exec sleep 60'
    )
    await vi.waitFor(() => expect(readFileSync(join(folder, 'ip.done'), 'utf8')).toBe('done\n'), PATIENCE)
    expect(calls).toBeLessThan(10)
  })

  it('ends with the watch', async () => {
    start('exec sleep 60')
    await vi.waitFor(() => expect(calls).toBe(1), PATIENCE)
    await monitor?.close()
    expect(monitor?.isWatching).toBe(false)
  })
})
