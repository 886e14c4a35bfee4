import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../e2e/dots-process.ts'
import { overTcp } from './tcp/over-tcp.ts'
import { TlsWorld, mostHandshakes } from './tcp/tls-world.ts'

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

describe('limits of connections', () => {
  it('stay as they were when the credentials are read again', async () => {
    const { server } = world
    const config = join(server.folder, 'server.yaml')
    const wider = readFileSync(config, 'utf8').replace(/handshakesPerSource: \d+/, 'handshakesPerSource: 900')
    expect(wider).toContain('900')
    writeFileSync(config, wider)
    process.kill(server.pid, 'SIGHUP')
    await until(
      () => (server.process?.log.includes('credentials.reloaded') === true ? true : undefined),
      () => 'nothing was read again'
    )
    const refused = 'tls_connections_refused_total{handshaking-per-source}'
    const before = await world.counted(refused)
    world.crowd(2 * mostHandshakes, Buffer.of(22))
    await until(
      async () => ((await world.counted(refused)) - before === mostHandshakes ? true : undefined),
      () => 'another limit holds'
    )
    await world.expectServiceAsBefore()
  })
})
