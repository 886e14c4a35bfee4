import { ipv4, prefixOf } from '@breakwater/core'
import { mitigationId, parseCuid } from '@breakwater/dots'
import type { Cuid, MitigationId, Target } from '@breakwater/dots'

/** DOTS clients that load a server together, each with a session, a pre-shared key, a cuid and a /16 of its own. */
export const CLIENTS = 64

/** The same key for all: what is measured begins after the handshakes. */
export const KEY_HEX = '5072652d736861726564206b65792121'

export function identityOf(client: number): string {
  return `client-${client}`
}

export function cuidOf(client: number): Cuid {
  return parseCuid(`cuid-of-client-${client}`) ?? never()
}

export function midOf(value: number): MitigationId {
  return mitigationId(value) ?? never()
}

/** The whole address space of a client. */
export function spaceOf(client: number): string {
  return `10.${client}.0.0/16`
}

/** One of the 65,536 addresses of a client: UDP to port 53 of it. */
export function targetOf(client: number, host: number): Target {
  const address = ipv4(0x0a000000 + 65_536 * client + host)
  return { prefixes: [prefixOf(address, 32)], ports: [{ lower: 53, upper: 53 }], protocols: [17] }
}

/** The part of a server's configuration that knows all of them; nobody is told that there are too many mitigations. */
export function configurationOfClients(keyFile: string): object {
  const indices = Array.from({ length: CLIENTS }, (_, index) => index)
  return {
    preSharedKeys: indices.map((index) => ({ identity: identityOf(index), keyFile })),
    clients: indices.map((index) => ({
      name: identityOf(index),
      identity: { pskIdentity: identityOf(index) },
      prefixes: [spaceOf(index)]
    })),
    limits: {
      mitigations: 1_000_000,
      mitigationsPerClient: 100_000,
      // What the server can do is measured, not what it lets one client do.
      requestsPerClientPerSecond: 1_000_000,
      requestBurstPerClient: 1_000_000
    }
  }
}

function never(): never {
  throw new Error('a cuid or mid that cannot be')
}
