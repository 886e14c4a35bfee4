import type { Attack, Family } from './attack.ts'
import { serversAtTheClient } from './association/servers.ts'
import { impostors } from './dtls/impostors.ts'
import { strangersOverDtls } from './dtls/strangers.ts'
import { clientsAtTheServer } from './machine/clients.ts'
import { overTcp } from './tcp/over-tcp.ts'

/** What the table needs of an attack. */
export type Entry = Omit<Attack<never>, 'run'>

export interface Listing {
  readonly title: string
  readonly against: string
  readonly attacks: readonly Entry[]
}

const listingOf = <World>({ title, against, attacks }: Family<World>): Listing => ({
  title,
  against,
  attacks
})

/** Every attack of the suite, family by family. */
export const catalogue: readonly Listing[] = [
  listingOf(strangersOverDtls),
  listingOf(impostors),
  listingOf(clientsAtTheServer),
  listingOf(serversAtTheClient),
  listingOf(overTcp)
]
