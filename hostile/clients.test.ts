import { describe, expect, it } from 'vitest'
import type { ServerEvent } from '@breakwater/dots'
import { clientsAtTheServer } from './machine/clients.ts'
import { MachineWorld } from './machine/machine-world.ts'

describe(clientsAtTheServer.title, () => {
  for (const { name, answer, trace, run } of clientsAtTheServer.attacks)
    it(`${name}: ${answer}`, async () => {
      const world = new MachineWorld()
      await run(world)
      if ('counter' in trace) expect(counted(world, trace.counter), trace.counter).toBeGreaterThan(0)
      if ('event' in trace) expect(world.events(trace.event as ServerEvent['kind'])).toBeGreaterThan(0)
      world.expectServiceAsBefore()
    })
})

/** `name{label}` or `name`. */
function counted(world: MachineWorld, counter: string): number {
  const [, name = '', label = ''] = /^([^{]+)(?:\{(.*)\})?$/.exec(counter) ?? []
  return world.bed.machine.counters.value(name, label)
}
