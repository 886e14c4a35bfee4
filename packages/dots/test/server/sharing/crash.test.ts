import { seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { CUID, certificate, cuid } from '../server-bed.ts'
import { CrashClient } from './crash-client.ts'
import { CrashWorld, STEP, planTexts } from './crash-world.ts'
import type { Death } from './crash-world.ts'

const SETTLED_MS = 15_000
/** RFC 9132 §4.4.4: twice the grace period, for a client that asks again and again, and a little. */
const GRACE_MS = 25_000

/** Two seconds. */
const SHORT_STEPS = 40

/** ADR 10: five seconds until the lease is over, one until the next beat, and what the store takes to answer both. */
const LEAD_PASSES_MS = 7000

class Story {
  readonly world: CrashWorld
  readonly clients: readonly CrashClient[]
  #leaderlessSince = 0

  constructor(seed: number, death?: Death) {
    this.world = new CrashWorld(seed, death)
    this.clients = [
      { cuid: CUID, identity: certificate('client.example.net'), network: '192.0.2.', firstHost: 0 },
      {
        cuid: cuid('bz6pHjaADkaFTbjr0JGBpw'),
        identity: certificate('second.example.net'),
        network: '192.0.2.',
        firstHost: 128
      }
    ].map((who, index) => new CrashClient(this.world, seededEntropy(seed + index + 1), who))
  }

  /** Asks for so long, or until one of the servers has died. */
  ask(milliseconds: number, untilDeath = false): void {
    this.#pass(milliseconds, () => {
      for (const client of this.clients) if (!client.isLost) client.act()
      return untilDeath && this.world.diedAt !== undefined
    })
  }

  /** Asks nothing more. */
  rest(milliseconds: number): void {
    this.#pass(milliseconds, () => {
      for (const client of this.clients) if (client.isWaiting && !client.isLost) client.act()
      return false
    })
  }

  /** Both clients find what they were told at every server that lives. */
  compare(when: string): void {
    for (const server of this.world.alive)
      for (const client of this.clients) {
        const shown = client.shownBy(server)
        if (!client.settle(shown))
          this.world.faults.push(`${when}: shown ${shown.join()}, not ${client.candidates.join(' or ')}`)
      }
  }

  /** What is in force is what is stored, but for what is being changed at this moment. */
  compareDevice(when: string): void {
    let differences = this.#deviceDifferences()
    for (let step = 0; step < SHORT_STEPS && differences !== ''; step++) {
      this.rest(STEP)
      differences = this.#deviceDifferences()
    }
    if (differences !== '') this.world.faults.push(`${when}: ${differences}`)
  }

  withdrawAll(): void {
    let left = true
    for (let tries = 0; left && tries < 2000; tries++) {
      left = false
      for (const client of this.clients)
        if (client.isWaiting) {
          client.act()
          left = true
        } else left = client.withdrawNext() || left
      this.world.step()
    }
  }

  #deviceDifferences(): string {
    const { world } = this
    const there = [...world.inForce].map(([id, plan]) => [id, plan?.target.prefixes ?? []] as const)
    const [is, wanted] = [planTexts(new Map(there)), planTexts(world.wanted())]
    return is.join() === wanted.join() ? '' : `in force ${is.join()}, stored ${wanted.join()}`
  }

  #pass(milliseconds: number, act: () => boolean): void {
    const { world } = this
    for (const end = world.now + milliseconds; world.now < end && world.faults.length === 0;) {
      if (act()) return
      world.step()
      for (const client of this.clients) client.watch()
      if (world.alive.some((server) => world.leads(server))) this.#leaderlessSince = world.now
      else if (world.now - this.#leaderlessSince > LEAD_PASSES_MS) world.faults.push('nobody leads')
    }
  }
}

/** From the first request to the last withdrawal; a server dies in between, the other goes on, and it comes back. */
function play(seed: number, death?: Death): Story {
  const story = new Story(seed, death)
  const { world } = story
  story.ask(12_000, true)
  if (death !== undefined && world.diedAt !== undefined) {
    story.rest(1500)
    story.compare('after the death')
    story.ask(8000)
    story.rest(1500)
    story.compareDevice('when another one leads')
    world.revive()
    story.ask(3000)
  }
  story.rest(SETTLED_MS)
  story.compare('at the end')
  story.compareDevice('at the end')
  if (world.faults.length === 0) story.withdrawAll()
  story.rest(GRACE_MS)
  story.compare('when all is withdrawn')
  if (world.faults.length === 0 && (world.inForce.size > 0 || world.wanted().size > 0))
    world.faults.push('something is left when all is withdrawn')
  return story
}

/** Every so many writes of a story one is died at, another one with each seed; at all of them takes minutes. */
const STRIDE = 9

function deathsAt(server: 0 | 1, writes: number, seed: number): Death[] {
  const points = Array.from({ length: writes }, (_, index) => index + 1)
  return points
    .filter((write) => write % STRIDE === seed % STRIDE)
    .flatMap((write) => (['before', 'after'] as const).map((when) => ({ server, write, when })))
}

describe.each([1, 2, 3])('one of two servers that share a store dies at a write (seed %d)', (seed) => {
  it('none does', () => {
    const { world, clients } = play(seed)
    expect(world.faults).toEqual([])
    expect(clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBeGreaterThan(50)
  })

  it.each([0, 1] as const)(
    'server %d does, before and after each',
    (server) => {
      const whole = new Story(seed)
      whole.ask(12_000)
      const faults: Record<string, readonly string[]> = {}
      const deaths = deathsAt(server, whole.world.writes[server], seed)
      for (const death of deaths) {
        const { world } = play(seed, death)
        if (world.diedAt === undefined) world.faults.push('it did not die')
        if (world.faults.length > 0) faults[`${death.when} ${death.write}`] = world.faults
      }
      expect(faults).toEqual({})
      expect(deaths.length).toBeGreaterThan(4)
    },
    60_000
  )
})
