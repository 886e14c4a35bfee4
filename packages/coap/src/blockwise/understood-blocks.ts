import { OptionNumber } from '../option.ts'

/** What is understood with block-wise transfer: both Block options besides (RFC 7959 §2.1). */
export function withBlocks(understood: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...understood, OptionNumber.block1, OptionNumber.block2])
}
