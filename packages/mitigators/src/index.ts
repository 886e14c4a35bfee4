export { dryRunMitigator } from './dry-run/dry-run-mitigator.ts'
export { openNftablesMitigator, type NftablesMitigatorOptions } from './nftables/nftables-mitigator.ts'
