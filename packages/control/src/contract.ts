/**
 * The contract of the local control API: what goes over the socket, as JSON. Agents check requests with these schemas,
 * tests check answers. Keys are only ever added.
 */
export * from './contract/agent.ts'
export * from './contract/decision.ts'
export * from './contract/domain.ts'
export * from './contract/mitigation.ts'
export * from './contract/path.ts'
export * from './contract/plan.ts'
export * from './contract/protection.ts'
export * from './contract/session.ts'
export * from './contract/target.ts'
