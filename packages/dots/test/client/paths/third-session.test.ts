import { Milliseconds, Seconds } from '@breakwater/core'
import { afterEach, expect, it } from 'vitest'
import { TwoGateways, figure } from './two-gateways.ts'

let world: TwoGateways

afterEach(() => world.close())

/** The third server restarts at 1 s. @returns its new session, and how long the run for it took, in milliseconds. */
async function thirdAfterRestart(isCut: boolean): Promise<readonly [session: string, took: number]> {
  world = new TwoGateways({ servers: 3 })
  await world.start()
  expect([0, 1, 2].map((index) => world.text(index))).toEqual(Array(3).fill('established wan-1'))
  // What the site sends is lost; that the third server says goodbye still arrives.
  if (isCut) world.site.link('wan-1').cut('up')
  await world.restart(2)
  await world.pass(Milliseconds(100))
  await world.pass(Seconds(world.session(2).retryInSeconds ?? 0))
  const took = await world.until(() => world.session(2).state === 'established')
  return [world.text(2), took * 1000]
}

it('a third session starts by gateway 2, with no outage, when gateway 1 failed two others', async () => {
  const [calm, handshake] = await thirdAfterRestart(false)
  expect(calm).toBe('established wan-1')
  await world.close()
  const [session, took] = await thirdAfterRestart(true)
  expect(session).toBe('established wan-2')
  figure('third session after two reported failures, later than without any', (took - handshake) / 1000)
  expect(took - handshake).toBe(0)
})
