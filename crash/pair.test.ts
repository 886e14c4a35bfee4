import { describe, expect, it } from 'vitest'
import { nftObstacle } from '../e2e/fake-nft.ts'
import { runPairCampaign, someDeaths } from './pair-campaign.ts'

/** All of them are killed by `npm run crash -- --shared --kills 36`, which takes five minutes. */
const KILLS = 7

describe.skipIf(nftObstacle !== undefined)('kill -9 of one of two servers that share a store', () => {
  it('at a write point, as it leads or follows: nothing is lost at either, and the kernel filters what is stored', async () => {
    const report = await runPairCampaign({ deaths: someDeaths(KILLS), seed: 9284 })
    console.info(`${KILLS} kills: ${JSON.stringify(report)}`)
    expect(report.violations).toEqual([])
    expect(Object.values(report.kills).reduce((sum, count) => sum + count, 0)).toBe(KILLS)
    expect(report.kills).not.toHaveProperty('elsewhere')
    expect(report.acknowledged).toBeGreaterThan(KILLS * 12)
  }, 240_000)
})
