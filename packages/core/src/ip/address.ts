/** 4 or 6. */
export type IpFamily = 4 | 6

/**
 * An IP address as four unsigned 32-bit words, the most significant first. An IPv4 address stands in `a`; `b`, `c` and
 * `d` are 0, so that the first `n` bits of both families are found in the same way.
 */
export interface IpAddress {
  readonly family: IpFamily
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
}
