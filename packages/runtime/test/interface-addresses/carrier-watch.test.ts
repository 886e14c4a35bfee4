import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Carriers } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { CarrierWatch } from '../../src/interface-addresses/carrier-watch.ts'

const PATIENCE = { timeout: 15_000, interval: 5 } as const

describe('a watch of carriers', () => {
  let folder: string
  let watch: CarrierWatch
  let told: Carriers[]
  /** Shell scripts in the place of `ip monitor` and of `ip -json link show`. */
  const start = (monitor: string, listing: string): void => {
    const show = `echo x >> ${folder}/readings\n${listing}`
    const script = `if [ "$1" = monitor ]; then\n${monitor}\nelse\n${show}\nfi\n`
    writeFileSync(join(folder, 'readings'), '')
    writeFileSync(join(folder, 'ip'), script)
    watch = new CarrierWatch({
      ip: ['sh', join(folder, 'ip')],
      clock: systemClock(),
      onChange: () => undefined,
      onCarriers: (carriers) => told.push(carriers)
    })
  }
  const readings = (): number => readFileSync(join(folder, 'readings'), 'utf8').length / 2

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'breakwater-carriers-'))
    told = []
  })
  afterEach(async () => {
    await watch.close()
    rmSync(folder, { recursive: true })
  })

  it('reads twenty times a second at most in a storm of messages, and what was said last', async () => {
    const storm = 'i=0; while [ $i -lt 10000 ]; do echo change; i=$((i+1)); done'
    const flags = `if [ -e ${folder}/over ]; then echo '[{"ifname":"a","flags":["UP"]}]'; else echo '[]'; fi`
    const began = performance.now()
    start(`${storm}; touch ${folder}/over; echo change; exec sleep 60`, flags)
    await vi.waitFor(() => expect(told.at(-1)).toEqual(new Map([['a', false]])), PATIENCE)
    expect(readings()).toBeLessThanOrEqual((performance.now() - began) / 50 + 1)
  })

  it('tells nothing where the system does not tell, or says what is no listing', async () => {
    start('while :; do echo change; sleep 0.1; done', 'echo no; exit 0')
    await vi.waitFor(() => expect(readings()).toBeGreaterThan(2), PATIENCE)
    expect(told).toEqual([])
  })
})
