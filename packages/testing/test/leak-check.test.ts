import { Instant, Seconds } from '@breakwater/core'
import type { Machine } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { address } from '../src/builders/address.ts'
import { LeakCheck } from '../src/leak-check.ts'
import { SimulatedNetwork } from '../src/sim/network.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

class Sleeper implements Machine<Instant, string> {
  outputs: string[] = []
  #timeout: Instant | undefined

  handle(until: Instant): void {
    this.#timeout = until
  }

  poll(): string | undefined {
    return this.outputs.shift()
  }

  nextTimeout(): Instant | undefined {
    return this.#timeout
  }

  handleTimeout(): void {
    this.#timeout = undefined
  }
}

describe('the leak check', () => {
  it('finds nothing where nothing is left', async () => {
    const leaks = new LeakCheck()
    const clock = leaks.clock(new VirtualClock())
    leaks.network(new SimulatedNetwork({ clock, seed: 1 }))
    leaks.machine('sleeper', new Sleeper())
    await expect(leaks.check()).resolves.toBeUndefined()
  })

  it('finds a call that is still scheduled', async () => {
    const leaks = new LeakCheck()
    const clock = leaks.clock(new VirtualClock())
    clock.schedule(Instant(60_000), () => undefined)
    await expect(leaks.check()).rejects.toThrow('left behind: 1 scheduled calls')
  })

  it('lets what is only under way arrive', async () => {
    const leaks = new LeakCheck(Seconds(2))
    const clock = leaks.clock(new VirtualClock())
    clock.schedule(Instant(1999), () => undefined)
    await expect(leaks.check()).resolves.toBeUndefined()
  })

  it('finds a socket that is still open', async () => {
    const leaks = new LeakCheck()
    const network = leaks.network(new SimulatedNetwork({ clock: new VirtualClock(), seed: 1 }))
    const own = address('192.0.2.1')
    const host = network.addHost('a', { interfaces: [{ name: 'eth0', addresses: [own] }] })
    host.bind({ address: own, port: 0 }, undefined, () => undefined)
    await expect(leaks.check()).rejects.toThrow('1 open sockets')
  })

  it('finds machines that are not idle, and names all of them', async () => {
    const leaks = new LeakCheck()
    leaks.machine('first', new Sleeper()).handle(Instant(7))
    leaks.machine('second', new Sleeper()).outputs.push('unheard')
    await expect(leaks.check()).rejects.toThrow(
      'left behind: first wants to be woken at 7 ms; second has output that nobody took'
    )
  })

  it('starts afresh after it reported', async () => {
    const leaks = new LeakCheck()
    leaks.count('files', () => 3)
    await expect(leaks.check()).rejects.toThrow('3 files')
    await expect(leaks.check()).resolves.toBeUndefined()
  })
})
