import { UnavailableError, equalIpAddresses } from '@breakwater/core'
import type { AddressWatch, Carriers, InterfaceAddresses, LocalAddress } from '@breakwater/dots'

/** The addresses of a simulated host: whatever a test says. */
export class SimulatedInterfaceAddresses implements InterfaceAddresses {
  /** While set, the system does not tell. */
  isBroken = false
  readonly #down = new Set<string>()
  readonly #carriers = new Map<string, boolean>()
  readonly #watchers = new Set<() => void>()
  readonly #carrierWatchers = new Set<(carriers: Carriers) => void>()
  #known: readonly LocalAddress[] = []
  #reads = 0

  /** How often somebody looked. */
  get reads(): number {
    return this.#reads
  }

  /** Adds an address, or changes what is said of it. */
  add(local: LocalAddress): void {
    this.#known = [...this.#known.filter((other) => !isSame(other, local)), local]
    this.#tell()
  }

  remove(local: LocalAddress): void {
    this.#known = this.#known.filter((other) => !isSame(other, local))
    this.#tell()
  }

  /** An interface that is down keeps its addresses, and nobody can use them. */
  setUp(name: string, isUp: boolean): void {
    if (isUp) this.#down.delete(name)
    else this.#down.add(name)
    this.#tell()
    this.#tellCarriers()
  }

  /** What is attached to an interface is up, or is not; undefined: there is no such interface any more. */
  setCarrier(name: string, isUp: boolean | undefined): void {
    if (isUp === undefined) this.#carriers.delete(name)
    else this.#carriers.set(name, isUp)
    this.#tellCarriers()
  }

  watch(onChange: () => void, onCarriers?: (carriers: Carriers) => void): AddressWatch {
    this.#watchers.add(onChange)
    if (onCarriers !== undefined) {
      this.#carrierWatchers.add(onCarriers)
      onCarriers(this.#carriersNow())
    }
    return {
      close: async () => {
        this.#watchers.delete(onChange)
        if (onCarriers !== undefined) this.#carrierWatchers.delete(onCarriers)
      }
    }
  }

  #carriersNow(): Carriers {
    return new Map([...this.#carriers].map(([name, isUp]) => [name, isUp && !this.#down.has(name)]))
  }

  #tellCarriers(): void {
    for (const onCarriers of this.#carrierWatchers) onCarriers(this.#carriersNow())
  }

  #tell(): void {
    for (const onChange of this.#watchers) onChange()
  }

  async read(): Promise<readonly LocalAddress[]> {
    this.#reads++
    // One turn later, as a real one.
    await Promise.resolve()
    if (this.isBroken) throw new UnavailableError('TESTING_ADDRESSES_UNREADABLE', 'no addresses today', true)
    return this.#known.filter((local) => !this.#down.has(local.interface.name))
  }
}

function isSame(x: LocalAddress, y: LocalAddress): boolean {
  return x.interface.name === y.interface.name && equalIpAddresses(x.address, y.address)
}
