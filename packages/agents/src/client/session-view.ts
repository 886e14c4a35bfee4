import { formatIpPrefix } from '@breakwater/core'
import type { SessionView } from '@breakwater/control'
import type { RedirectReport, RequestReport, SessionReport } from '@breakwater/dots'
import { remoteText } from './remote-text.ts'

/** A session of a client as the control API shows it. */
export function sessionView(session: SessionReport, requests: readonly RequestReport[]): SessionView {
  const {
    server,
    domain,
    state,
    text,
    path,
    retryInSeconds,
    udpProbeInSeconds,
    candidates,
    redirect,
    parameters,
    activity
  } = session
  const retry = retryInSeconds === undefined ? '' : `next try in ${wholeSeconds(retryInSeconds)} s`
  const probe = udpProbeInSeconds === undefined ? '' : `tries UDP in ${wholeSeconds(udpProbeInSeconds)} s`
  const standing = standingText(server, requests)
  const second = session.standBy === undefined ? '' : standByText(session.standBy)
  const pool = session.standsByFor === undefined ? '' : `stands by: ${session.standsByFor} is asked`
  const shown = [text, pool, second, retry, probe, standing].filter((part) => part !== '').join('; ')
  return {
    peer: server,
    domain,
    state,
    ...(path === undefined
      ? {}
      : {
          local: path.source,
          remote: remoteText(path),
          transport: path.transport
        }),
    ...(path?.interface === undefined ? {} : { interface: path.interface }),
    ...(shown === '' ? {} : { text: shown }),
    ...(redirect === undefined ? {} : { redirect: redirectView(redirect) }),
    ...(candidates.length === 0 ? {} : { candidates: [...candidates] }),
    ...(parameters === undefined ? {} : { parameters: { set: activity, ...parameters } })
  }
}

/** The requests that wait for the loss of the session have no protection to be shown with. */
function standingText(server: string, requests: readonly RequestReport[]): string {
  const standing = requests.filter((each) => each.server === server && each.trigger === 'signal-loss')
  return standing
    .map(({ target, state, refusal }) => {
      const prefixes = target.prefixes.map(formatIpPrefix).join(' ')
      // Not "in force": the server has it, and waits.
      const shown = state === 'in-force' || state === 'refreshing' ? 'accepted' : state
      const said = refusal === undefined ? shown : `${shown}: ${refusal.text}`
      return `preconfigured ${prefixes} (${said})`
    })
    .join('; ')
}

const STAND_BY_TEXTS = {
  warm: 'stands by',
  parallel: 'is asked, too, as an answer is missing',
  joined: 'carries everything, too, as the first path is down in an attack'
} as const

function standByText({ path, mode }: NonNullable<SessionReport['standBy']>): string {
  const way = [path.transport, path.interface, path.source, 'to', remoteText(path)]
  return `${way.filter((part) => part !== undefined).join(' ')} ${STAND_BY_TEXTS[mode]}`
}

function redirectView({ alternate, state, reason }: RedirectReport): NonNullable<SessionView['redirect']> {
  return { alternate, state, ...(reason === '' ? {} : { reason }) }
}

function wholeSeconds(seconds: number): number {
  return Math.max(0, Math.round(seconds))
}
