import type { ProviderPlan } from './topology.ts'
import type { ResolverWords } from './world.ts'

type NamedPlan = ProviderPlan & Required<Pick<ProviderPlan, 'resolver'>>

/** The two providers of most drawings, in address space for documentation. */
export const isp1: ProviderPlan = {
  name: 'isp1',
  prefix: '198.51.100.0/28',
  servers: { 'dots.isp1.example': '192.0.2.1' }
}

export const isp2: ProviderPlan = {
  name: 'isp2',
  prefix: '203.0.113.16/28',
  servers: { 'dots.isp2.example': '192.0.2.129' }
}

/** The same two with a resolver each, which knows where their DOTS servers are. */
export const isp1ByName: NamedPlan = {
  ...isp1,
  resolver: { address: '192.0.2.53', firstWords: 'truth' }
}

export const isp2ByName: NamedPlan = {
  ...isp2,
  resolver: { address: '192.0.2.181', firstWords: 'truth' }
}

/** The same provider, whose resolver says something else at first. */
export function sayingFirst(firstWords: ResolverWords, plan: NamedPlan): NamedPlan {
  return { ...plan, resolver: { ...plan.resolver, firstWords } }
}

/** Of nobody in any drawing. */
export const foreignAddress = '192.0.2.77/32'
