import { ModelDecodeError, decodeSignalJson } from '../../src/index.ts'

/** `CODE path`, or `decoded`; anything but a ModelDecodeError goes through. */
export function jsonFaultOf(json: unknown): string {
  try {
    decodeSignalJson(json)
    return 'decoded'
  } catch (error) {
    if (!(error instanceof ModelDecodeError)) throw error
    if (!error.message.startsWith(error.path))
      throw new Error(`no path in: ${error.message}`, { cause: error })
    return `${error.code} ${error.path}`.trimEnd()
  }
}

/** One scope with the members that stand in `members`, as a text. */
export function scopeText(members: string): string {
  return `{"ietf-dots-signal-channel:mitigation-scope":{"scope":[{${members}}]}}`
}
