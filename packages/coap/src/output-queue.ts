/** What is to be handed on, in order. Mostly it holds one thing for a moment, and an array for that would be made each time. */
export class OutputQueue<Output extends object> {
  #first: Output | undefined
  #others: Output[] | undefined

  get isEmpty(): boolean {
    return this.#first === undefined
  }

  push(output: Output): void {
    if (this.#first === undefined) this.#first = output
    else (this.#others ??= []).push(output)
  }

  shift(): Output | undefined {
    const output = this.#first
    if (output !== undefined) this.#first = this.#others?.shift()
    return output
  }
}
