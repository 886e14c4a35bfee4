import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../e2e/dots-process.ts'
import { overTcp } from './tcp/over-tcp.ts'
import { TlsWorld } from './tcp/tls-world.ts'

const world = new TlsWorld()
beforeAll(() => world.server.start())
afterAll(() => world.server.remove())

describe(overTcp.title, () => {
  for (const { name, answer, trace, run } of overTcp.attacks)
    it(`${name}: ${answer}`, async () => {
      const counter = 'counter' in trace ? trace.counter : ''
      const before = await world.counted(counter)
      await run(world)
      const counted = await until(
        async () => ((await world.counted(counter)) > before ? true : undefined),
        () => `${counter} stays`
      )
      expect(counted).toBe(true)
      await world.expectServiceAsBefore()
    })
})
