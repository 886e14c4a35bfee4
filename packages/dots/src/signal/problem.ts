/** What is wrong with a request, as a value: an expected outcome, not a throw. */
export interface SignalProblem {
  /** Stable text: `DOTS_SIGNAL_LIFETIME_INVALID`. */
  readonly code: string
  /** For the diagnostic payload (RFC 7252 §5.5.2): what, where, limit. */
  readonly diagnostic: string
  /** CoAP code to answer with. */
  readonly answer: number
}

/** A value, or why there is none. */
export type Checked<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: SignalProblem }

/** @internal */
export function accepted<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value }
}

/** @internal */
export function refused(
  code: string,
  answer: number,
  diagnostic: string
): { readonly ok: false; readonly problem: SignalProblem } {
  return { ok: false, problem: { code, answer, diagnostic } }
}
