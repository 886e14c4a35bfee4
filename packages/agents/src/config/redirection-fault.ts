import { isOfOneHost, parseIpAddress } from '@breakwater/core'
import type { ConfigPath } from './shape.ts'

/** A redirection as somebody wants it, with holes where something is wrong already. */
export interface WantedRedirection {
  readonly addresses?: readonly (string | undefined)[] | undefined
  /** Left out: everybody. */
  readonly clients?: readonly (string | undefined)[] | undefined
}

export interface RedirectionFault {
  readonly path: ConfigPath
  readonly message: string
}

/** Addresses where no client would go, and names that none has: both would send nobody anywhere, and say nothing. */
export function redirectionFaults(
  { addresses = [], clients = [] }: WantedRedirection,
  known: ReadonlySet<string>
): readonly RedirectionFault[] {
  const nowhere = addresses.flatMap((text, index) =>
    text === undefined || isSomebodys(text)
      ? []
      : [{ path: ['addresses', index], message: `${text} is the address of no single host` }]
  )
  const strangers = clients.flatMap((name, index) =>
    name === undefined || known.has(name)
      ? []
      : [{ path: ['clients', index], message: `no client has the name ${JSON.stringify(name)}` }]
  )
  return [...nowhere, ...strangers]
}

/** What is no address at all is somebody else's complaint. */
function isSomebodys(text: string): boolean {
  const address = parseIpAddress(text)
  return address === undefined || isOfOneHost(address)
}
