import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { parseIpPrefix } from '@breakwater/core'
import { type MitigationPlan, type Mitigator, PlanId, type Target } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { openNftablesMitigator } from '../src/index.ts'
import { type NetworkNamespace, createNamespace, obstacle } from './network-namespace.ts'

function plan(id: string, prefix: string, more: Partial<Target> = {}): MitigationPlan {
  const parsed = parseIpPrefix(prefix) ?? expect.fail(prefix)
  return {
    id: PlanId(id),
    action: 'discard',
    target: { prefixes: [parsed], ports: [], protocols: [], ...more }
  }
}

if (obstacle !== undefined) console.warn(`the nftables tests are skipped: ${obstacle}`)

describe.skipIf(obstacle !== undefined)('the nftables mitigator, on the kernel', () => {
  let host: NetworkNamespace
  let mitigator: Mitigator

  function open(): Promise<Mitigator> {
    return openNftablesMitigator({ hook: 'input', command: [...host.prefix, 'nft'] })
  }

  beforeEach(async () => {
    host = createNamespace()
    host.run('ip', 'link', 'set', 'dev', 'lo', 'up')
    mitigator = await open()
  })

  afterEach(async () => {
    await mitigator.close()
    host.delete()
  })

  function pings(address: string): boolean {
    try {
      host.run('ping', '-c', '1', '-W', '1', address)
      return true
    } catch {
      return false
    }
  }

  it('drops what goes to the target, counts it, and lets everything else pass', async () => {
    await mitigator.apply(plan('home/1', '127.0.0.2/32'))
    expect(pings('127.0.0.2')).toBe(false)
    expect(pings('127.0.0.3')).toBe(true)
    const counters = (await mitigator.counters()).get(PlanId('home/1'))
    expect(counters?.packets).toBe(1n)
    expect(counters?.bytes).toBe(84n)
  })

  it('lets the traffic pass again once the plan is withdrawn, and leaves no rule behind', async () => {
    await mitigator.apply(plan('home/1', '127.0.0.2/32'))
    await mitigator.withdraw(PlanId('home/1'))
    expect(pings('127.0.0.2')).toBe(true)
    expect(host.run('nft', 'list', 'ruleset')).not.toContain('home/1')
  })

  it('narrows a plan to its protocols', async () => {
    await mitigator.apply(plan('home/1', '127.0.0.2/32', { protocols: [17] }))
    expect(pings('127.0.0.2')).toBe(true)
    await mitigator.apply(plan('home/1', '127.0.0.2/32', { protocols: [1] }))
    expect(pings('127.0.0.2')).toBe(false)
  })

  it('finds the rules of the process before it, and does not double them', async () => {
    await mitigator.apply(plan('home/1', '127.0.0.2/32'))
    await mitigator.close()
    mitigator = await open()
    expect(await mitigator.inForce()).toEqual(['home/1'])
    await mitigator.apply(plan('home/1', '127.0.0.2/32'))
    expect(host.run('nft', 'list', 'ruleset').match(/home\/1/g)).toHaveLength(1)
  })

  it('brings its table back when somebody flushed the rule set', async () => {
    await mitigator.apply(plan('home/1', '127.0.0.2/32'))
    host.run('nft', 'flush', 'ruleset')
    expect(await mitigator.inForce()).toEqual([])
    await mitigator.apply(plan('home/1', '127.0.0.2/32'))
    expect(pings('127.0.0.2')).toBe(false)
  })

  it('replaces a plan whose rule somebody deleted', async () => {
    await mitigator.apply(plan('home/1', '127.0.0.2/32'))
    host.run('nft', 'flush', 'chain', 'inet', 'breakwater', 'mitigation')
    await mitigator.apply(plan('home/1', '127.0.0.4/32'))
    expect(pings('127.0.0.4')).toBe(false)
    expect(await mitigator.inForce()).toEqual(['home/1'])
  })

  it('does not touch the rules of others', async () => {
    host.run('nft', 'add', 'table', 'inet', 'other')
    host.run('nft', 'add', 'chain', 'inet', 'other', 'mine')
    host.run('nft', 'add', 'rule', 'inet', 'other', 'mine', 'counter', 'comment', '"home/1"')
    await mitigator.apply(plan('home/1', '127.0.0.2/32'))
    await mitigator.withdraw(PlanId('home/1'))
    expect(host.run('nft', 'list', 'table', 'inet', 'other')).toContain('home/1')
  })

  it('applies hundreds of plans that arrive together, each of them once', async () => {
    const plans = Array.from({ length: 300 }, (_, i) => plan(`c/${i}`, `10.1.${i >> 8}.${i & 255}/32`))
    await Promise.all(plans.map((each) => mitigator.apply(each)))
    expect((await mitigator.inForce()).toSorted()).toEqual(plans.map(({ id }) => id).toSorted())
  })

  it('refuses a plan without prefixes: it would drop everything', async () => {
    const empty = { ...plan('home/1', '127.0.0.2/32'), target: { prefixes: [], ports: [], protocols: [] } }
    await expect(mitigator.apply(empty)).rejects.toMatchObject({ code: 'MITIGATOR_PLAN_EMPTY' })
    expect(pings('127.0.0.2')).toBe(true)
  })

  it('says so when nft is missing', async () => {
    await expect(
      openNftablesMitigator({ hook: 'input', command: ['/nonexistent/nft'] })
    ).rejects.toMatchObject({
      code: 'MITIGATOR_NFT_MISSING',
      retryable: false
    })
  })

  it('gives a whole group up at once when nft hangs, instead of hanging for each', async () => {
    const switchFile = join(tmpdir(), `breakwater-hang-${process.pid}`)
    const command = [
      'sh',
      '-c',
      `[ -e ${switchFile} ] && exec sleep 30; exec ${host.prefix.join(' ')} nft "$@"`,
      'sh'
    ]
    const hanging = await openNftablesMitigator({ hook: 'input', command, timeoutSeconds: 0.5 })
    writeFileSync(switchFile, '')
    try {
      const started = performance.now()
      const plans = Array.from({ length: 50 }, (_, i) => hanging.apply(plan(`home/${i}`, `127.1.0.${i}/32`)))
      const outcomes = await Promise.allSettled(plans)
      expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
      // One by one they would take 25 s.
      expect(performance.now() - started).toBeLessThan(10_000)
    } finally {
      rmSync(switchFile)
      await hanging.close()
    }
  })

  it('ends an nft that hangs', async () => {
    const command = ['sh', '-c', 'exec sleep 30']
    await expect(
      openNftablesMitigator({ hook: 'input', command, timeoutSeconds: 0.2 })
    ).rejects.toMatchObject({
      code: 'MITIGATOR_NFT_TIMEOUT',
      retryable: true
    })
  })
})
