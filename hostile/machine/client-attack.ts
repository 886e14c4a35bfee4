import type { Attack, Trace } from '../attack.ts'
import type { MachineWorld } from './machine-world.ts'

export type ClientAttack = Attack<MachineWorld>

export const by = (
  name: string,
  after: string,
  source: string,
  answer: string,
  trace: string | Trace,
  run: ClientAttack['run']
): ClientAttack => ({
  name,
  who: 'client',
  after,
  source,
  answer,
  trace: typeof trace === 'string' ? { counter: `dots_server_requests_total{${trace}}` } : trace,
  run
})

export const target = (prefix: string, lifetime = 600): { targetPrefix: string[]; lifetime: number } => ({
  targetPrefix: [prefix],
  lifetime
})
