import type { Asked, Story } from './story.ts'
import { linksOf } from './topology.ts'

/** Two heartbeats that get no answer, where nobody is told of the carrier. */
const MOVED_WITHIN_SECONDS = 75
/** A round of messages, and the time in which a server hears of the others (250 ms). */
const KNOWN_WITHIN_SECONDS = 10

/** What these servers accepted about the targets: `dots1 created`. */
function accepted(story: Story, { targets, atMs }: Asked): string[] {
  return story.world
    .heard()
    .filter((each) => each.method === 'PUT' && each.atMs >= atMs && targets.join() === each.targets.join())
    .map(({ provider, outcome }) => `${provider} ${outcome}`)
}

/** The servers that mitigate a target, each with the mid that it knows it by: `dots1 5 active`. */
async function mitigating(story: Story, { client, targets }: Asked): Promise<string[]> {
  const lines = await story.world.holdings(client)
  return lines.flatMap((line) => {
    const [server, word, id, ...rest] = line.split(' ')
    const state = rest.pop()
    const isIt = word === 'mitigates' && rest.join() === targets.join()
    return isIt && state !== 'terminating' ? [`${server} ${id}`] : []
  })
}

/** All these servers know of one mitigation of the targets, by one mid, and one alone was asked first. */
export async function expectOneMitigation(
  story: Story,
  asked: Asked,
  servers: readonly string[]
): Promise<void> {
  const isKnown = async (): Promise<boolean> => {
    const found = (await mitigating(story, asked)).map((each) => each.split(' '))
    const known = found.map(([server = '']) => server)
    const ids = new Set(found.map(([, id]) => id))
    return known.toSorted().join() === servers.join() && ids.size === 1
  }
  const ok = await story.world.runUntil(isKnown, KNOWN_WITHIN_SECONDS)
  const created = accepted(story, asked).filter((each) => each.endsWith(' created'))
  if (!ok) for (const line of await story.world.holdings(asked.client)) story.note(line)
  story.expect(
    `${asked.targets.join()} is one mitigation with one mid at ${servers.join(' and ')}`,
    ok && created.length === 1
  )
}

/**
 * The client has it in force over these attachments and no other. Whoever heard of it by the store before it was asked says so,
 * and need not be asked then.
 */
export async function expectInForceOver(
  story: Story,
  asked: Asked,
  servers: Readonly<Record<string, string>>
): Promise<void> {
  const domains = Object.keys(servers)
  const isDone = async (): Promise<boolean> => {
    const { state, requests } = await story.world.standing(asked.client, asked.id)
    const inForce = requests.filter((request) => request.state === 'in-force').map(({ domain }) => domain)
    return state === 'protected' && inForce.toSorted().join() === domains.join()
  }
  const ok = await story.world.runUntil(isDone, KNOWN_WITHIN_SECONDS)
  const known = Object.values(servers)
  const others = accepted(story, asked).filter((each) => !known.includes(each.replace(/ .*/, '')))
  story.expect(
    `${asked.targets.join()}: ${asked.client} has it in force over ${domains.join(' and ')}, and asks nobody else`,
    ok && others.length === 0
  )
}

/** The link with this number, and with it the attachment that the first server is for, loses its carrier or has it again. */
export function setLink(story: Story, number: number, weather: 'cut' | 'clear'): Promise<void> {
  const link = linksOf(story.topology).find((each) => each.number === number)
  if (link === undefined) throw new RangeError(`the drawing has no link ${number}`)
  return story.world.setLinks(link.provider, weather, link.interface)
}

/**
 * What is in force is refreshed at another server of the provider: not asked anew, withdrawn nowhere, and in force at every
 * look. @returns seconds until it is.
 */
export async function expectRefreshedAt(story: Story, asked: Asked, server: string): Promise<number> {
  const since = story.world.now()
  const before = new Set((await mitigating(story, asked)).map((each) => each.split(' ')[1]))
  let isKept = true
  const isMoved = async (): Promise<boolean> => {
    const ids = (await mitigating(story, asked)).map((each) => each.split(' ')[1])
    isKept &&= ids.length > 0 && ids.every((id) => before.has(id))
    return accepted(story, { ...asked, atMs: since }).includes(`${server} refreshed`)
  }
  const isRefreshed = await story.world.runUntil(isMoved, MOVED_WITHIN_SECONDS)
  const seconds = (story.world.now() - since) / 1000
  await story.world.pass(KNOWN_WITHIN_SECONDS)
  await isMoved()
  const { state } = await story.world.standing(asked.client, asked.id)
  const anew = story.world
    .heard()
    .filter(({ outcome, method, atMs }) => atMs >= since && (outcome === 'created' || method === 'DELETE'))
  story.expect(`${asked.targets.join()} is refreshed at ${server}`, isRefreshed)
  story.expect(
    `${asked.targets.join()} stays in force under its mid, and is neither asked anew nor withdrawn`,
    isKept && anew.length === 0 && state === 'protected'
  )
  return seconds
}

/** One withdrawal ends it at all of them. */
export async function expectEndedEverywhere(story: Story, asked: Asked): Promise<void> {
  await story.release(asked)
  const isOver = async (): Promise<boolean> => (await mitigating(story, asked)).length === 0
  const ok = await story.world.runUntil(isOver, KNOWN_WITHIN_SECONDS)
  story.expect(`${asked.targets.join()} is over at all servers when it is withdrawn`, ok)
}
