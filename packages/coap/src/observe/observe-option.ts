import type { CoapOption } from '../message.ts'
import { Method } from '../method.ts'
import { findOption, uintOption, uintValue } from '../option-value.ts'
import { OptionNumber } from '../option.ts'

/** RFC 7641 §4.4: 24 bits. */
const SEQUENCE_MASK = 0xff_ffff

/** What a request says about observing: RFC 7641 §2; FETCH as well: RFC 8132 §2.4. Other values count as absent. */
export function observeAction(
  method: number,
  options: readonly CoapOption[]
): 'register' | 'deregister' | undefined {
  if (method !== Method.get && method !== Method.fetch) return undefined
  const value = observeValue(options)
  if (value === 0) return 'register'
  return value === 1 ? 'deregister' : undefined
}

/** The value of the Observe option, a sequence number in responses; undefined when absent or too long. */
export function observeValue(options: readonly CoapOption[]): number | undefined {
  const option = findOption(options, OptionNumber.observe)
  return option === undefined || option.value.length > 3 ? undefined : uintValue(option.value)
}

export function withoutObserve(options: readonly CoapOption[]): readonly CoapOption[] {
  return observeIn(options) ? options.filter(({ number }) => number !== OptionNumber.observe) : options
}

export function withSequence(options: readonly CoapOption[], sequence: number): readonly CoapOption[] {
  const option = uintOption(OptionNumber.observe, sequence & SEQUENCE_MASK)
  // In its place: options that are in order stay so.
  if (!observeIn(options)) return [...options, option]
  return options.map((each) => (each.number === OptionNumber.observe ? option : each))
}

function observeIn(options: readonly CoapOption[]): boolean {
  return findOption(options, OptionNumber.observe) !== undefined
}
