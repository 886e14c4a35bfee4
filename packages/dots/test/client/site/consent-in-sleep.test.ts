import { Minutes, Seconds, after } from '@breakwater/core'
import type { Clock, Instant, ScheduledCall, WallTime } from '@breakwater/core'
import { prefix } from '@breakwater/testing'
import { expect, it } from 'vitest'
import { ISP_A, ISP_B, TwoProviders, site, targetOf } from '../two-providers.ts'

/** The clock of a host that can be put to sleep: what is due in the meantime happens when it wakes up. */
class SleepyClock implements Clock {
  readonly #clock: Clock
  #due: Set<() => void> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): Instant {
    return this.#clock.now()
  }

  wallClock(): WallTime {
    return this.#clock.wallClock()
  }

  schedule(at: Instant, act: () => void): ScheduledCall {
    const call = this.#clock.schedule(at, () => {
      if (this.#due === undefined) act()
      else this.#due.add(act)
    })
    const cancel = (): void => {
      this.#due?.delete(act)
      call.cancel()
    }
    return { cancel }
  }

  sleep(): void {
    this.#due = new Set()
  }

  wake(): void {
    const due = this.#due ?? new Set()
    this.#due = undefined
    for (const act of due) this.schedule(this.now(), act)
  }
}

it('RFC 9284 §6: a consent that ended while the host slept is used no more when it wakes up', async () => {
  const world = new TwoProviders()
  const assignedByA = prefix('198.51.100.0/24')
  const from = world.clock.wallClock()
  const consent = { name: 'a-to-b', of: ISP_A, to: ISP_B, prefixes: [assignedByA], givenBy: 'A. Admin', from }
  const prefixes = [assignedByA, prefix('100.64.7.0/24')]
  await world.startServer('isp-a')
  await world.startServer('isp-b', {
    domains: [{ name: 'site', dnsNames: ['site.isp-b.example'], pskIdentities: [], prefixes }]
  })
  const clock = new SleepyClock(world.clock)
  world.startClient({ clock, site: { ...site, consents: [{ ...consent, until: after(from, Minutes(10)) }] } })
  await world.advance(Seconds(1))
  world.protect('web', targetOf('198.51.100.7/32'), { lifetime: 3600 })
  await world.advance(Seconds(2))
  expect(world.mitigationRequests()).toContain('PUT isp-b')
  world.sent.length = 0
  clock.sleep()
  // The renewal of the request falls into the night, too.
  await world.advance(Minutes(70))
  clock.wake()
  await world.advance(Minutes(10))
  const again = world.mitigationRequests()
  expect(again).toContain('PUT isp-a')
  expect(again).not.toContain('PUT isp-b')
  await world.close()
})
