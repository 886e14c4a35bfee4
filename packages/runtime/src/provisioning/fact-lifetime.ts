import { Milliseconds, Seconds } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import type { FactLifetime } from '@breakwater/dots'

/** RFC 2131 §3.3, RFC 8415 §7.7, RFC 4861 §4.6.2, RFC 8106 §5.1: all ones stand for infinity. */
const INFINITE_SECONDS = 0xffff_ffff

/** What a protocol, a program or a file says in seconds. */
export function lifetimeOfSeconds(seconds: number): FactLifetime {
  return seconds >= INFINITE_SECONDS ? 'unlimited' : Seconds(seconds)
}

/** What is left of a lifetime that began so long ago. */
export function leftOf(lifetime: FactLifetime, age: Duration): FactLifetime {
  return lifetime === 'unlimited' ? lifetime : Milliseconds(Math.max(0, lifetime - age))
}

export function longerOf(one: FactLifetime, other: FactLifetime): FactLifetime {
  if (one === 'unlimited' || other === 'unlimited') return 'unlimited'
  return one > other ? one : other
}

/** RFC 4862 §5.5.3 (c), RFC 8415 §21.6: nothing is preferred for longer than it is valid. */
export function notLonger(preferred: FactLifetime, valid: FactLifetime): FactLifetime {
  if (valid === 'unlimited') return preferred
  return preferred === 'unlimited' || preferred > valid ? valid : preferred
}
