import { type CoapOption } from './message.ts'
import { isCritical, isDefinedFor, optionDefinition, OptionNumber, reservedLocation } from './option.ts'

/** What an application of plain requests and responses understands. */
export const basicOptions: ReadonlySet<number> = new Set([
  OptionNumber.uriHost,
  OptionNumber.etag,
  OptionNumber.observe,
  OptionNumber.uriPort,
  OptionNumber.locationPath,
  OptionNumber.uriPath,
  OptionNumber.contentFormat,
  OptionNumber.maxAge,
  OptionNumber.uriQuery,
  OptionNumber.hopLimit,
  OptionNumber.accept,
  OptionNumber.locationQuery,
  OptionNumber.size2,
  OptionNumber.size1
])

/** Options as the application may see them; `unsupported` is a critical one that it does not understand. */
export interface CheckedOptions {
  readonly options: readonly CoapOption[]
  readonly unsupported: number | undefined
}

/**
 * RFC 7252 §5.4.1: leaves out elective options that are not recognized and names the first critical one. Not recognized is
 * what the application does not understand, what is not defined for this code (§5.4), a value of a length outside its
 * definition (§5.4.3), and every further occurrence of an option that is not repeatable (§5.4.5).
 */
export function checkOptions(
  options: readonly CoapOption[],
  understood: ReadonlySet<number>,
  code: number
): CheckedOptions {
  let before = -1
  let unrecognized = 0
  for (const option of options) {
    if (!isRecognized(option, before, understood, code)) {
      if (isCritical(option.number)) return { options, unsupported: option.number }
      unrecognized++
    }
    before = option.number
  }
  if (unrecognized === 0) return { options, unsupported: undefined }
  const recognized = options.filter((option, index) =>
    isRecognized(option, options[index - 1]?.number ?? -1, understood, code)
  )
  return { options: recognized, unsupported: reservedLocation(options) }
}

function isRecognized(
  option: CoapOption,
  before: number,
  understood: ReadonlySet<number>,
  code: number
): boolean {
  if (!understood.has(option.number)) return false
  const definition = optionDefinition(option.number)
  if (definition === undefined) return true
  const { length } = option.value
  if (length < definition.minimumLength || length > definition.maximumLength) return false
  if (!isDefinedFor(definition, code)) return false
  return definition.repeatable || option.number !== before
}
