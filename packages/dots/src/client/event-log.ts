import { formatIpAddress, formatIpPrefix } from '@breakwater/core'
import type { Log } from '@breakwater/core'
import { calendarDate } from '../domain/calendar-date.ts'
import type { ClientEvent } from './client-io.ts'
import type { PathReport } from './path-report.ts'

/** Writes an event down for the operator: what needs somebody's attention as a warning. */
export function logClientEvent(log: Log, event: ClientEvent): void {
  switch (event.kind) {
    case 'protection': {
      const { id, state, alarm, missing } = event.status
      const fields = { protection: id, state, missing: missing.map((part) => part.text) }
      if (alarm) log.warn('protection.incomplete', fields)
      else log.info('protection.changed', fields)
      return
    }
    case 'session': {
      const { server, domain, state, text, path } = event.session
      // RFC 9132 §4.7: administrators are to hear of sessions that cannot be established.
      if (state === 'pausing' || state === 'no-path' || state === 'silent')
        log.warn('session.down', { server, domain, state, text, ...wayOf(path) })
      else log.info('session.changed', { server, domain, state, ...wayOf(path) })
      return
    }
    case 'consent-used': {
      const { protection, server, prefixes, consent } = event
      const { name, of, givenBy, until } = consent
      const fields = { consent: name, of, givenBy, until: calendarDate(until) }
      log.info('consent.used', { protection, server, prefixes: prefixes.map(formatIpPrefix), ...fields })
      return
    }
    case 'policy-used': {
      const { protection, prefixes, turn } = event
      const { policy, servers: asked, others: notAsked } = turn
      log.warn('policy.deviation', {
        protection,
        policy,
        prefixes: prefixes.map(formatIpPrefix),
        asked,
        notAsked
      })
      return
    }
    case 'target-name': {
      const { name, state, addresses, text } = event.standing
      const fields = { name, state, addresses: addresses.map(formatIpAddress) }
      if (state === 'resolved') log.info('target.resolved', fields)
      else log.warn('target.unresolved', { ...fields, reason: text })
      return
    }
    case 'server-located': {
      const { server, domain, name, location } = event
      const { addresses, trouble } = location
      const fields = { server, domain, name, addresses: addresses.map((address) => formatIpAddress(address)) }
      if (trouble === '') log.info('server.located', fields)
      else log.warn('server.not_located', { ...fields, reason: trouble })
      return
    }
    case 'stood-in': {
      const { server, by, because } = event
      log.warn('server.stood-in', { server, by, because })
      return
    }
    case 'cuid-changed':
      log.warn('session.cuid-collision', { server: event.server, domain: event.domain })
      return
    case 'redirected': {
      const { server, alternate } = event
      if (alternate === undefined) log.info('session.redirection-over', { server })
      else log.warn('session.redirected', { server, alternate })
      return
    }
    case 'redirect-refused': {
      const { server, alternate, reason } = event
      log.warn('session.redirect-refused', { server, alternate, reason })
      return
    }
    case 'alternate-unreachable': {
      const { server, alternate, reason } = event
      log.error('session.alternate-unreachable', { server, alternate, reason })
      return
    }
    case 'record-damaged':
      log.error('request.damaged', { key: event.key, reason: event.reason })
      return
    case 'configuration-unsafe':
      log.warn('session.configuration-unsafe', { server: event.server, text: event.text })
      return
    case 'malformed':
      log.debug('session.malformed', { server: event.server, text: event.text })
  }
}

/** Which of several attempts it is about: to another address, or over another transport. */
function wayOf(path: PathReport | undefined): Readonly<Record<string, string>> {
  if (path === undefined) return {}
  const { transport, source, remote } = path
  return { transport, source, remote }
}
