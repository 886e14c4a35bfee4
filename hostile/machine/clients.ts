import type { Family } from '../attack.ts'
import { targets } from './foreign-targets.ts'
import { identifiers } from './identifiers.ts'
import { lifetimes } from './lifetimes.ts'
import { storms } from './storms.ts'
import { blocks } from './blocks.ts'
import { configuration } from './configuration.ts'
import { contents } from './contents.ts'
import { names } from './names.ts'
import { streams } from './streams.ts'
import type { MachineWorld } from './machine-world.ts'

/** Clients with every right to a session, and none to what they ask for. */
export const clientsAtTheServer: Family<MachineWorld> = {
  title: 'Clients',
  against: 'the whole machine of a server, in virtual time, with an honest client beside the attacker',
  attacks: [
    ...targets,
    ...identifiers,
    ...lifetimes,
    ...storms,
    ...blocks,
    ...configuration,
    ...names,
    ...streams,
    ...contents
  ]
}
