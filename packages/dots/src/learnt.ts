// A door for who starts at every event of a DHCP client: what is learnt, without the agents that use it.
export { DomainName } from './domain/identifier.ts'
export { LEARNT_LIMITS, LEARNT_ORIGINS } from './domain/learnt-configuration.ts'
