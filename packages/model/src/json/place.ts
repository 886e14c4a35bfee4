import { InternalError } from '@breakwater/core'
import { ModelDecodeError } from '../decode-error.ts'
import { Trail } from '../trail.ts'

/** Where in a message a codec stands, and what a fault becomes there. */
export interface Place {
  readonly trail: Trail
  /** Throws the error for what is wrong at this place. */
  fail(code: string, problem: string): never
}

/** Whatever is wrong is the peer's fault. */
export function readingPlace(): Place {
  const trail = new Trail()
  return {
    trail,
    fail(code, problem) {
      throw new ModelDecodeError(code, trail.toString(), problem)
    }
  }
}

/** Whatever is wrong is the caller's fault, and one code says so. */
export function writingPlace(): Place {
  const trail = new Trail()
  return {
    trail,
    fail(_code, problem) {
      const path = trail.toString()
      throw new InternalError('MODEL_ENCODE_INVALID', path === '' ? problem : `${path}: ${problem}`)
    }
  }
}

/** Characters of a member's name that a path repeats at most: it is the peer's text. */
const LONGEST_STEP = 64

/** The name of a member as a step of a path. */
export function stepOf(name: string): string {
  return name.length <= LONGEST_STEP ? name : `${name.slice(0, LONGEST_STEP)}…`
}
