import { describe, expect, it } from 'vitest'
import { AssociationWorld } from './association/association-world.ts'
import { serversAtTheClient } from './association/servers.ts'

/** What an association says where the log says this. */
const outputOf = (event: string): string => event.replace(/^session\./, '')

describe(serversAtTheClient.title, () => {
  for (const { name, answer, trace, run } of serversAtTheClient.attacks)
    it(`${name}: ${answer}`, async () => {
      const world = new AssociationWorld()
      await run(world)
      if ('event' in trace) expect(world.outputs.map(({ kind }) => kind)).toContain(outputOf(trace.event))
      world.expectServiceAsBefore()
    })
})
