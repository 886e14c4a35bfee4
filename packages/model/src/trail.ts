import { MAXIMUM_DEPTH } from './limit.ts'

/**
 * Where in a message a reader or writer stands. One slot per level, overwritten in place: keeping it costs a store per
 * member, and only an error reads it.
 */
export class Trail {
  readonly #steps: (string | number)[] = Array.from({ length: MAXIMUM_DEPTH }, () => '')
  #depth = 0

  /** Steps that lead here. */
  get depth(): number {
    return this.#depth
  }

  /** Goes one level down; `step` names the place until `at` changes it. */
  enter(step: string | number = ''): void {
    this.#steps[this.#depth++] = step
  }

  /** Names the place on the current level: a member by name, an entry by index. */
  at(step: string | number): void {
    this.#steps[this.#depth - 1] = step
  }

  leave(): void {
    this.#depth--
  }

  reset(): void {
    this.#depth = 0
  }

  /** `scope[0].lifetime`. The message's container is left out when something inside it is named. */
  toString(): string {
    const steps = this.#steps.slice(0, this.#depth).filter((step) => step !== '')
    const inside = steps.length > 1 ? steps.slice(1) : steps
    return inside
      .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
      .join('')
  }
}
