/** Ports that a translator gives to the outside, as large ones do (RFC 6056 §3.2). */
const outside = { first: 1024, last: 65_535 }

/**
 * The port half of a NAT (RFC 4787): each inside port gets one outside port for all destinations, and what comes to an
 * outside port that nobody inside has asked for is dropped. The address stays, for it is what hosts are known by here.
 */
export class PortTranslation {
  readonly #outsideOf = new Map<number, number>()
  readonly #insideOf = new Map<number, number>()
  #next = outside.first

  /** The port that the world sees; the first datagram from an inside port takes one. */
  outbound(inside: number): number {
    const known = this.#outsideOf.get(inside)
    if (known !== undefined) return known
    const port = this.#free()
    this.#outsideOf.set(inside, port)
    this.#insideOf.set(port, inside)
    return port
  }

  /** The inside port that a datagram from the world is for; undefined: for nobody. */
  inbound(port: number): number | undefined {
    return this.#insideOf.get(port)
  }

  /** Forgets all mappings, as a restart or an idle timeout does: whoever sends next is seen with another port. */
  rebind(): void {
    this.#outsideOf.clear()
    this.#insideOf.clear()
  }

  #free(): number {
    do this.#next = this.#next === outside.last ? outside.first : this.#next + 1
    while (this.#insideOf.has(this.#next))
    return this.#next
  }
}
