import { describe, expect, it } from 'vitest'
import { runCampaign, runCampaigns } from './campaign.ts'
import { nameOf, writePoints } from './write-point.ts'

/**
 *   4 DOTS clients ── real DTLS on 127.0.0.1 ── `dots server` ── SQLite, dry-run mitigator
 *                                                killed at one write point after the other
 */
describe('kill -9 of a server at every write point', () => {
  it('100 times: keeps what was acknowledged, does nothing by halves, brings nothing back', async () => {
    const { kills, violations, acknowledged } = await runCampaigns(100, 9132)
    console.info(`100 kills, ${acknowledged} answers: ${JSON.stringify(kills)}`)
    expect(violations).toEqual([])
    expect(Object.values(kills).reduce((sum, count) => sum + count, 0)).toBe(100)
    expect(writePoints.map(nameOf).filter((name) => kills[name] === undefined)).toEqual([])
    expect(acknowledged).toBeGreaterThan(500)
  }, 240_000)

  it.each([
    ['forget', /is lost/],
    ['unsynced', /is lost/],
    ['tear', /came back, or is half there/],
    ['revive', /came back, or is half there/]
  ] as const)('would find out a store that were to %s', async (canary, found) => {
    const kills = writePoints.length
    const first = writePoints.findIndex((point) => nameOf(point) === 'serving/after-post')
    const report = await runCampaign({
      kills,
      first,
      seed: 1,
      activeButTerminatingSeconds: 0,
      canary,
      losesPower: canary === 'unsynced'
    })
    expect(report.violations.join('\n')).toMatch(found)
  })
})
