import { describe, expect, test } from 'vitest'
import { basicOptions, Code, Method, OptionNumber } from '../src/index.ts'
import type { CoapOption } from '../src/index.ts'
import { checkOptions } from '../src/option-check.ts'

const option = (number: number, length = 1): CoapOption => ({ number, value: new Uint8Array(length) })

describe('checkOptions', () => {
  test('hands on the very same array when all is recognized', () => {
    const options = [option(OptionNumber.uriPath), option(OptionNumber.uriPath), option(OptionNumber.accept)]
    const checked = checkOptions(options, basicOptions, Method.get)
    expect(checked).toEqual({ options, unsupported: undefined })
    expect(checked.options).toBe(options)
  })

  test('leaves out elective options that are not recognized', () => {
    const options = [option(OptionNumber.uriPath), option(OptionNumber.echo), option(9998)]
    expect(checkOptions(options, basicOptions, Method.get)).toEqual({
      options: [options[0]],
      unsupported: undefined
    })
  })

  test('names the first critical option that is not recognized', () => {
    const options = [option(9998), option(9999), option(10_001)]
    expect(checkOptions(options, basicOptions, Method.get).unsupported).toBe(9999)
  })

  test('a length outside the definition makes an option unrecognized [RFC7252-5.4.3-M01]', () => {
    expect(checkOptions([option(OptionNumber.uriHost, 0)], basicOptions, Method.get).unsupported).toBe(
      OptionNumber.uriHost
    )
    expect(checkOptions([option(OptionNumber.uriPath, 256)], basicOptions, Method.get).unsupported).toBe(
      OptionNumber.uriPath
    )
    expect(
      checkOptions([option(OptionNumber.uriPath, 255)], basicOptions, Method.get).unsupported
    ).toBeUndefined()
    expect(checkOptions([option(OptionNumber.maxAge, 5)], basicOptions, Code.content).options).toEqual([])
  })

  test('a supernumerary occurrence is unrecognized: elective ones vanish, critical ones count [RFC7252-5.4.5-M02]', () => {
    const twice = [option(OptionNumber.contentFormat, 1), option(OptionNumber.contentFormat, 2)]
    expect(checkOptions(twice, basicOptions, Method.get)).toEqual({
      options: [twice[0]],
      unsupported: undefined
    })
    const critical = [option(OptionNumber.accept), option(OptionNumber.accept)]
    expect(checkOptions(critical, basicOptions, Method.get).unsupported).toBe(OptionNumber.accept)
  })

  test('what the application understands and the registry does not know may have any length, any number of times', () => {
    const options = [option(9999, 0), option(9999, 300)]
    expect(checkOptions(options, new Set([9999]), Method.get)).toEqual({ options, unsupported: undefined })
  })
})
