import type { IpAddress } from './address.ts'

/** The first `length` bits of `address`; all others are 0. Made only by checking functions. */
export interface IpPrefix {
  readonly address: IpAddress
  /** 0 … 32 or 0 … 128. */
  readonly length: number
}
