import { expect, it } from 'vitest'
import { buildBenchAddon, loadBenchAddon } from '../native/bench-addon.ts'

it('the measuring code compiles with the engine as it is now', { timeout: 300_000 }, () => {
  const addon = loadBenchAddon(buildBenchAddon())
  expect(typeof addon.subscribe).toBe('function')
})
