import type { PathsView, PathView } from '@breakwater/control'
import { hanging, table } from './table.ts'
import { durationText } from './words.ts'

/** Paths for people: those of each server in the order of preference, then what is none. */
export function pathLines({ paths, illegal }: PathsView): string[] {
  const servers = [...new Set([...paths, ...illegal].map(({ server }) => server))]
  if (servers.length === 0) return ['no servers']
  return servers.flatMap((server, index) => [
    ...(index === 0 ? [] : ['']),
    ...serverLines(
      server,
      paths.filter((path) => path.server === server),
      illegal.filter((each) => each.server === server).map(({ because }) => because)
    )
  ])
}

function serverLines(server: string, paths: readonly PathView[], illegal: readonly string[]): string[] {
  const domain = paths[0]?.domain
  const rows = paths.map((path) => [
    path.use === 'unused' ? '' : path.use,
    path.state,
    path.score.toFixed(2),
    roundTripText(path),
    mtuText(path),
    aboutText(path)
  ])
  return [
    domain === undefined || domain === server ? server : `${server} (${domain})`,
    ...(rows.length === 0
      ? ['  no legal path']
      : table(['USE', 'STATE', 'SCORE', 'RTT', 'MTU', 'PATH'], rows, 2)),
    ...illegal.flatMap((because) => hanging('  not legal: ', because))
  ]
}

function roundTripText({ roundTripMilliseconds }: PathView): string {
  return roundTripMilliseconds === undefined ? '-' : `${roundTripMilliseconds.toFixed(0)} ms`
}

/** What ICMP says is marked: nobody has proved it. */
function mtuText({ mtuBytes, mtuSource }: PathView): string {
  return mtuSource === 'said' ? `${mtuBytes}?` : `${mtuBytes}`
}

function aboutText(path: PathView): string {
  const { transport, interface: device, source, remote, because, inheritedFrom, nextHop } = path
  const way = [transport, device, source, 'to', remote].filter((part) => part !== undefined).join(' ')
  const inherited = inheritedFrom === undefined ? '' : `score of ${inheritedFrom}`
  return [
    way,
    nextHop === undefined ? '' : `by ${nextHop}`,
    path.condition === undefined ? '' : (CONDITION_TEXTS[path.condition] ?? path.condition),
    `${because}${whenText(path)}`,
    inherited
  ]
    .filter((part) => part !== '')
    .join('; ')
}

/** RFC 9132 §4.7: at night, a link that is full and one that is dead are two different calls to make. */
const CONDITION_TEXTS: Readonly<Record<string, string>> = {
  'inbound-full': 'LINK FULL INBOUND: the server hears us, and its answers do not arrive',
  'outbound-broken': 'OUTBOUND BROKEN: the server is heard, and does not hear us',
  dead: 'DEAD: nothing is heard',
  late: 'an answer is missing'
}

function whenText({ goodSecondsAgo, badSecondsAgo }: PathView): string {
  const last = Math.min(goodSecondsAgo ?? Infinity, badSecondsAgo ?? Infinity)
  return Number.isFinite(last) ? ` ${durationText(last)} ago` : ''
}
