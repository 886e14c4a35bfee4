import { UnavailableError } from '@breakwater/core'
import { PlanId } from '@breakwater/dots'
import type { MitigationPlan, Mitigator, Target } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { target } from '../builders/target.ts'

/** A device that mitigates. Each test gets one without plans. */
export interface MitigatorWorld {
  /** Opens the mitigator of this device; again after it was closed. */
  open(): Promise<Mitigator>
  /** Whether plans stay in force, and are found again, when the mitigator is closed and opened. */
  readonly persistent: boolean
  /** Whether every plan in force has counters. */
  readonly counts: boolean
  /** Takes the device away; every mitigator is closed by then. */
  close(): Promise<void>
}

export type MitigatorAbility = 'persistence' | 'counters'

/**
 * The suite that every `Mitigator` must pass.
 *
 * ```ts
 * const makeWorld = () =>
 *   Promise.resolve({
 *     open: () => Promise.resolve(dryRunMitigator(silentLog)),
 *     persistent: false,
 *     counts: false,
 *     close: () => Promise.resolve()
 *   })
 * mitigatorContract('the dry-run mitigator', makeWorld, ['persistence', 'counters'])
 * ```
 *
 * @param lacks what this mitigator cannot do by its nature: the tests of it do not exist then. A test that finds its
 * world without an ability that is not listed here is skipped, which CI takes for a failure.
 */
export function mitigatorContract(
  name: string,
  makeWorld: () => Promise<MitigatorWorld>,
  lacks: readonly MitigatorAbility[] = []
): void {
  describe(`mitigator contract: ${name}`, () => {
    let world: MitigatorWorld
    let mitigator: Mitigator
    beforeEach(async () => {
      world = await makeWorld()
      mitigator = await world.open()
    })
    afterEach(async () => {
      await mitigator.close()
      await world.close()
    })

    planCases(() => mitigator)
    describe('targets', () => targetCases(() => mitigator))
    const closing: Closing = {
      world: () => world,
      mitigator: () => mitigator,
      reopen: async () => {
        await mitigator.close()
        mitigator = await world.open()
        return mitigator
      }
    }
    closingCases(() => mitigator)
    if (!lacks.includes('counters')) describe('counters', () => counterCases(closing))
    if (!lacks.includes('persistence')) describe('persistence', () => persistenceCases(closing))
  })
}

interface Closing {
  readonly world: () => MitigatorWorld
  readonly mitigator: () => Mitigator
  /** Closes the mitigator of the test and opens it again. */
  readonly reopen: () => Promise<Mitigator>
}

const anyTarget = target({ prefixes: ['203.0.113.7/32'] })

function plan(id: string, of: Target = anyTarget): MitigationPlan {
  return { id: PlanId(id), target: of, action: 'discard' }
}

async function inForce(mitigator: Mitigator): Promise<readonly string[]> {
  return (await mitigator.inForce()).toSorted((a, b) => (a < b ? -1 : 1))
}

function planCases(mitigator: () => Mitigator): void {
  it('has a name and begins with nothing in force', async () => {
    expect(mitigator().name).toMatch(/^[a-z][a-z0-9-]*$/)
    expect(await inForce(mitigator())).toEqual([])
    expect((await mitigator().counters()).size).toBe(0)
  })

  it('puts plans in force and takes single ones out again', async () => {
    for (const id of ['a', 'b', 'c']) await mitigator().apply(plan(id))
    expect(await inForce(mitigator())).toEqual(['a', 'b', 'c'])
    await mitigator().withdraw(PlanId('b'))
    expect(await inForce(mitigator())).toEqual(['a', 'c'])
  })

  it('doubles nothing when a plan is applied twice', async () => {
    await mitigator().apply(plan('a'))
    await mitigator().apply(plan('a'))
    expect(await inForce(mitigator())).toEqual(['a'])
    await mitigator().withdraw(PlanId('a'))
    expect(await inForce(mitigator())).toEqual([])
  })

  it('replaces a plan by one of the same id with another target, of the other family, too', async () => {
    await mitigator().apply(
      plan('a', target({ prefixes: ['203.0.113.0/24'], ports: [[53, 53]], protocols: [17] }))
    )
    await mitigator().apply(plan('a', target({ prefixes: ['2001:db8::/32'] })))
    expect(await inForce(mitigator())).toEqual(['a'])
    await mitigator().withdraw(PlanId('a'))
    expect(await inForce(mitigator())).toEqual([])
  })

  it('takes the withdrawal of a plan that is not in force', async () => {
    await mitigator().apply(plan('a'))
    await mitigator().withdraw(PlanId('nobody'))
    await mitigator().withdraw(PlanId('a'))
    await mitigator().withdraw(PlanId('a'))
    expect(await inForce(mitigator())).toEqual([])
  })

  it('keeps plans apart whose ids begin alike', async () => {
    const ids = ['a', 'a/1', 'a/1.', 'a/10', 'a1', 'A']
    for (const id of ids) await mitigator().apply(plan(id))
    await mitigator().withdraw(PlanId('a/1'))
    await mitigator().withdraw(PlanId('a'))
    expect(await inForce(mitigator())).toEqual(['A', 'a/1.', 'a/10', 'a1'])
  })

  it('takes ids of every allowed character and of full length', async () => {
    const ids = ['Az09._~-/', '-', '/', '~'.repeat(120), `${'x/'.repeat(59)}zz`]
    for (const id of ids) await mitigator().apply(plan(id))
    expect(await inForce(mitigator())).toEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)))
    for (const id of ids) await mitigator().withdraw(PlanId(id))
    expect(await inForce(mitigator())).toEqual([])
  })

  it('lets plans with the same target stand side by side', async () => {
    await mitigator().apply(plan('a', target({ prefixes: ['203.0.113.0/24'] })))
    await mitigator().apply(plan('b', target({ prefixes: ['203.0.113.0/25'] })))
    await mitigator().apply(plan('c', target({ prefixes: ['203.0.113.0/24'] })))
    await mitigator().withdraw(PlanId('a'))
    expect(await inForce(mitigator())).toEqual(['b', 'c'])
  })

  it('serves many callers at once', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `many/${String(index).padStart(2, '0')}`)
    await Promise.all(ids.map((id) => mitigator().apply(plan(id))))
    expect(await inForce(mitigator())).toEqual(ids)
    await Promise.all(ids.slice(0, 39).map((id) => mitigator().withdraw(PlanId(id))))
    expect(await inForce(mitigator())).toEqual(['many/39'])
  })

  it('does what it was told for one plan in the order in which it was told', async () => {
    const calls = [
      mitigator().apply(plan('kept')),
      mitigator().apply(plan('gone')),
      mitigator().withdraw(PlanId('kept')),
      mitigator().withdraw(PlanId('gone')),
      mitigator().apply(plan('kept'))
    ]
    await Promise.all(calls)
    expect(await inForce(mitigator())).toEqual(['kept'])
  })

  it('never counts for a plan that is not in force', async () => {
    await mitigator().apply(plan('a'))
    await mitigator().apply(plan('b'))
    await mitigator().withdraw(PlanId('a'))
    const counted = [...(await mitigator().counters()).keys()]
    expect(['b']).toEqual(expect.arrayContaining(counted))
  })
}

const targets: Readonly<Record<string, Target>> = {
  'one IPv4 address': target({ prefixes: ['203.0.113.7/32'] }),
  'one IPv6 address': target({ prefixes: ['2001:db8::7/128'] }),
  'both families': target({ prefixes: ['203.0.113.0/24', '2001:db8::/32', '198.51.100.0/25'] }),
  'everything there is': target({ prefixes: ['0.0.0.0/0', '::/0'] }),
  'a port': target({ prefixes: ['203.0.113.7/32'], ports: [[443, 443]] }),
  'a port of one protocol': target({ prefixes: ['203.0.113.7/32'], ports: [[53, 53]], protocols: [17] }),
  'all ports': target({ prefixes: ['2001:db8::/64'], ports: [[0, 65_535]], protocols: [6, 17] }),
  'ports that touch and overlap': target({
    prefixes: ['203.0.113.7/32'],
    ports: [
      [100, 200],
      [150, 300],
      [301, 302],
      [100, 200]
    ],
    protocols: [6]
  }),
  'protocols without ports': target({
    prefixes: ['203.0.113.7/32', '2001:db8::7/128'],
    protocols: [0, 1, 58, 255]
  }),
  'a protocol twice': target({ prefixes: ['203.0.113.7/32'], protocols: [17, 17] }),
  'prefixes within prefixes, and twice': target({
    prefixes: ['203.0.113.0/24', '203.0.113.0/25', '203.0.113.0/24', '2001:db8::/32', '2001:db8:1::/48']
  }),
  'a hundred prefixes': target({
    prefixes: Array.from({ length: 100 }, (_, index) => `10.0.${index}.0/24`)
  })
}

function targetCases(mitigator: () => Mitigator): void {
  it.for(Object.keys(targets))('takes %s', async (name) => {
    await mitigator().apply(plan('a', targets[name] ?? anyTarget))
    expect(await inForce(mitigator())).toEqual(['a'])
    await mitigator().withdraw(PlanId('a'))
    expect(await inForce(mitigator())).toEqual([])
  })

  it('refuses a plan without a prefix: it would mean everybody', async () => {
    await expect(mitigator().apply(plan('a', target({ prefixes: [] })))).rejects.toThrow()
    expect(await inForce(mitigator())).toEqual([])
  })

  it('leaves the former plan in force when its replacement is refused', async () => {
    await mitigator().apply(plan('a'))
    await expect(mitigator().apply(plan('a', target({ prefixes: [] })))).rejects.toThrow()
    expect(await inForce(mitigator())).toEqual(['a'])
  })
}

function counterCases({ mitigator, world }: Closing): void {
  it('begins at zero for every plan in force, whatever its target', async ({ skip }) => {
    if (!world().counts) skip('this mitigator cannot count')
    for (const [name, of] of Object.entries(targets)) await mitigator().apply(plan(idFor(name), of))
    const counters = await mitigator().counters()
    for (const name of Object.keys(targets))
      expect(counters.get(PlanId(idFor(name)))).toEqual({ packets: 0n, bytes: 0n })
    expect(counters.size).toBe(Object.keys(targets).length)
  })
}

function idFor(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9]/g, '-')
}

function closingCases(mitigator: () => Mitigator): void {
  it('refuses to work after it was closed', async () => {
    await mitigator().close()
    await expect(mitigator().apply(plan('a'))).rejects.toBeInstanceOf(UnavailableError)
    await expect(mitigator().withdraw(PlanId('a'))).rejects.toBeInstanceOf(UnavailableError)
  })

  it('may be closed twice', async () => {
    await mitigator().close()
    await expect(mitigator().close()).resolves.toBeUndefined()
  })
}

function persistenceCases({ world, mitigator, reopen }: Closing): void {
  it('leaves plans in force, and finds and withdraws them when it is opened again', async ({ skip }) => {
    if (!world().persistent) skip('this mitigator forgets')
    await mitigator().apply(plan('left/1', target({ prefixes: ['203.0.113.0/24', '2001:db8::/32'] })))
    await mitigator().apply(plan('left/2'))
    const reopened = await reopen()
    expect(await inForce(reopened)).toEqual(['left/1', 'left/2'])
    await reopened.withdraw(PlanId('left/1'))
    await reopened.apply(plan('left/2'))
    expect(await inForce(reopened)).toEqual(['left/2'])
  })
}
