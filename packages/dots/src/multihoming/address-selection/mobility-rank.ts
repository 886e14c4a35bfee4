import type { LocalAddress } from '../../domain/local-address.ts'

/**
 * The lower is preferred (rule 4 of RFC 6724 §5 and §6). What is home and care-of address at once is best in either sense.
 * @param prefersCareOf The user reversed the sense of the rule.
 */
export function mobilityRank({ mobility = 'at-home' }: LocalAddress, prefersCareOf: boolean): number {
  if (mobility === 'at-home') return 0
  return (mobility === 'care-of') === prefersCareOf ? 1 : 2
}
