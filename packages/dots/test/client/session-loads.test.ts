import { Minutes, Seconds } from '@breakwater/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TwoProviders, targetOf } from './two-providers.ts'

let world: TwoProviders
beforeEach(() => {
  world = new TwoProviders()
})
afterEach(() => world.close())

it('an operator sees what the CoAP sessions of a client hold, for as long as they are there', async () => {
  await world.startServer('isp-a')
  world.startClient()
  expect(world.client.loads()).toMatchObject({ coap_sessions: 0, coap_requests_open: 0 })
  world.protect('web', targetOf('198.51.100.7/32'))
  await world.advance(Seconds(30))
  const { coap_sessions, coap_requests_open } = world.client.loads()
  expect(coap_sessions).toBe(1)
  // The observations of what was asked.
  expect(coap_requests_open).toBeGreaterThan(0)
  await world.client.close()
  await world.advance(Minutes(1))
  expect(world.client.loads()).toMatchObject({ coap_dropped_total: 0, coap_remembered_evicted_total: 0 })
})
