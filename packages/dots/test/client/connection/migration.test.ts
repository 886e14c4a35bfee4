import { ConfigError } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { migrationRule } from '../../../src/client/connection/migration.ts'
import { legalPaths } from '../../../src/multihoming/legal-path.ts'
import { domain, server } from '../../multihoming/sites.ts'
import { KeeperBench } from '../keeper-bench.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** A session over TCP, since 600 ms; UDP was last tried at 250 ms. */
function overTcp(udpProbeSeconds?: number): KeeperBench {
  const rule = udpProbeSeconds === undefined ? {} : { happyEyeballs: { udpProbeSeconds } }
  const bench = new KeeperBench(rule).start().pass(600).establish('tcp6')
  bench.take()
  return bench
}

describe('the way back from TCP to UDP', () => {
  it('is looked for 24 hours after UDP was last tried, over UDP alone', () => {
    const bench = overTcp().pass(DAY - 600 + 249)
    expect(bench.take()).toEqual([])
    bench.pass(1000)
    expect(bench.take()).toEqual([`${DAY + 250} connect udp6`, `${DAY + 500} connect udp4`])
    expect(bench.state()).toBe('established tcp6, probing')
  })

  it('is taken when UDP works: the new session is there before the old one goes', () => {
    const bench = overTcp().pass(DAY)
    bench.take()
    bench.establish('udp6')
    const outputs = bench.take().map((line) => line.replace(/^\S+ /, ''))
    expect(outputs).toEqual(['close udp4', 'up', 'close tcp6'])
    expect(bench.state()).toBe('established udp6')
    expect(bench.pass(30 * DAY).take()).toEqual([])
  })

  it('is looked for again a day later when UDP still fails; the session stays', () => {
    const bench = overTcp().pass(DAY)
    bench.fail('udp6').fail('udp4')
    expect(bench.state()).toBe('established tcp6')
    bench.take()
    bench.pass(DAY - 10_000)
    expect(bench.take()).toEqual([])
    bench.pass(20_000)
    expect(bench.take()[0]).toMatch(/connect udp6$/)
  })

  it('is not looked for during an attack, but soon after', () => {
    const bench = overTcp()
      .attack()
      .pass(3 * DAY)
    expect(bench.take()).toEqual([])
    bench.attack(false).pass(1)
    expect(bench.take()).toEqual([`${bench.now - 1} connect udp6`])
  })

  it('is given up when an attack begins: the session that works is not to be disturbed', () => {
    const bench = overTcp().pass(DAY).attack()
    expect(bench.state()).toBe('established tcp6')
    expect(
      bench
        .take()
        .slice(-2)
        .every((line) => line.includes('close udp'))
    ).toBe(true)
  })

  it('is looked for as often as configured, but not more often than every five minutes', () => {
    const bench = overTcp(300)
    for (let probe = 0; probe < 5; probe++) bench.pass(305_000).fail('udp6').fail('udp4')
    const probes = bench.take().filter((line) => line.includes('connect udp6'))
    const times = probes.map((line) => Number(line.split(' ')[0]))
    expect(times).toHaveLength(5)
    for (const [index, time] of times.entries())
      expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(300_000)
    expect(() => migrationRule({ udpProbeSeconds: 299 })).toThrow(ConfigError)
    expect(() => migrationRule({ udpProbeSeconds: Number.NaN })).toThrow(ConfigError)
  })

  it('is not looked for where the server has no UDP', () => {
    const dots = { ...server('isp-a', '192.0.2.1'), transports: ['tcp'] as const }
    const isp = domain('isp-a', { sources: ['198.51.100.1'], servers: [dots] })
    const paths = legalPaths({ domains: [isp], providerIndependent: [] }, dots)
    const bench = new KeeperBench({ paths }).start().establish('tcp4')
    expect(bench.keeper.nextTimeout()).toBeUndefined()
  })

  it('is the way on when the session ends while UDP is tried', () => {
    const bench = overTcp().pass(DAY)
    bench.close('tcp6').establish('udp4')
    expect(bench.state()).toBe('established udp4')
  })
})
