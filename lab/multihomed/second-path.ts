import type { Story } from './story.ts'
import type { ListedPath } from './world.ts'

/** A minute between two handshakes (RFC 9132 §4.7), the handshake, and the first heartbeats over both. */
const STANDS_BY_WITHIN_SECONDS = 60 + 5 + 20

/** The provider that a client has two links to. */
function providerOf(story: Story): string {
  const [provider] = story.topology.providers
  if (provider === undefined) throw new RangeError('the drawing has no provider')
  return provider.name
}

/** A second session stands, nothing is wrong with the first, and the round trips of both are known. */
export async function untilSecondStandsBy(story: Story, client: string): Promise<void> {
  const isWarm = async (): Promise<boolean> => {
    const used = (await story.world.paths(client)).filter(({ use }) => use !== 'unused')
    const isKnown = used.every(({ roundTripMilliseconds }) => roundTripMilliseconds !== undefined)
    return isKnown && isUsed(used, 'session') && isUsed(used, 'stand-by')
  }
  const ok = await story.world.runUntil(isWarm, STANDS_BY_WITHIN_SECONDS)
  story.expect(`${client} has a session that stands by on another path`, ok)
}

/** Packets of the link that the client uses vanish, whichever that is. */
export async function cutWayInUse(story: Story, client: string): Promise<void> {
  const way = (await story.world.paths(client)).find(({ use }) => use === 'session')?.interface
  story.expect(`${client} uses one of its links`, way !== undefined)
  await story.world.setLinks(providerOf(story), 'silent', way)
}

/** Packets pass again over all links. */
export function mendWays(story: Story): Promise<void> {
  return story.world.setLinks(providerOf(story), 'clear')
}

/** Nothing is asked; a heartbeat without an answer lets the client doubt its path. @returns seconds until it does. */
export async function untilSecondIsUsed(
  story: Story,
  client: string,
  withinSeconds: number
): Promise<number> {
  const since = story.world.now()
  const isDoubted = async (): Promise<boolean> => isUsed(await story.world.paths(client), 'parallel')
  const ok = await story.world.runUntil(isDoubted, withinSeconds)
  story.expect(`${client} asks over the second path, too, before anything is asked`, ok)
  return (story.world.now() - since) / 1000
}

function isUsed(paths: readonly ListedPath[], wanted: ListedPath['use']): boolean {
  return paths.some(({ use }) => use === wanted)
}
