import { keyTwin } from '../mapping/list-rule.ts'
import type { JsonCodec } from './json-codec.ts'
import { kindOf } from './json-value.ts'
import type { Place } from './place.ts'

/** Lists and leaf-lists (RFC 7951 §5.3, §5.4): arrays of at least one entry. */
export function listJson(entry: JsonCodec, keyLeaf?: string): JsonCodec<readonly unknown[]> {
  const expectNoTwin = (entries: readonly unknown[], place: Place): void => {
    const twin = keyTwin(entries, keyLeaf)
    if (twin !== undefined) place.fail('MODEL_CONSTRAINT_VIOLATED', twin)
  }
  return {
    read(json, place) {
      const entries = each(json, place, (one) => entry.read(one, place))
      expectNoTwin(entries, place)
      return entries
    },
    write(value, place) {
      const entries = each(value, place, (one) => entry.write(one, place))
      expectNoTwin(value, place)
      return entries
    }
  }
}

/** Converts the entries of a list, each at its place. */
function each<To>(list: unknown, place: Place, convert: (one: unknown) => To): To[] {
  if (!Array.isArray(list)) place.fail('MODEL_TYPE_MISMATCH', `${kindOf(list)} where an array is due`)
  // RFC 9132 §4.4.1.1: an empty value renders the entire request invalid.
  if (list.length === 0) place.fail('MODEL_EMPTY_VALUE', 'is empty')
  const converted: To[] = []
  place.trail.enter()
  for (const one of list as readonly unknown[]) {
    place.trail.at(converted.length)
    converted.push(convert(one))
  }
  place.trail.leave()
  return converted
}
