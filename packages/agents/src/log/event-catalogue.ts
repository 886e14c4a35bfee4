/** How severe an event is for the operator. */
export type Level = 'debug' | 'info' | 'warn' | 'error'

export interface EventEntry {
  readonly level: Level
  /** What happened, for the operator; the fields say to what. */
  readonly text: string
}

/** Every event that the agents log. A test compares this with the calls in the sources, both ways. */
export const eventCatalogue = {
  'agent.starting': { level: 'info', text: 'the agent starts' },
  'agent.ready': { level: 'info', text: 'the agent is ready' },
  'agent.stopping': { level: 'info', text: 'the agent stops' },
  'agent.stopped': { level: 'info', text: 'the agent has stopped' },
  'agent.uncaught': { level: 'error', text: 'a mistake of ours; the agent goes on' },
  'agent.cleanup_failed': { level: 'warn', text: 'something could not be closed in order' },
  'config.warning': { level: 'warn', text: 'the configuration may surprise' },
  'config.reloaded': { level: 'info', text: 'the client goes by its configuration as it is now' },
  'config.not_reloaded': {
    level: 'error',
    text: 'the configuration is unusable; the client goes on as before'
  },
  'config.restart_needed': {
    level: 'warn',
    text: 'options have changed that a client reads at its start only'
  },
  'audit.dropped': { level: 'error', text: 'the audit file does not take entries; some were lost' },
  'control.failed': { level: 'error', text: 'a command failed by our own mistake' },
  'protection.changed': { level: 'info', text: 'a protection has a new state' },
  'protection.incomplete': { level: 'warn', text: 'a protection lacks something' },
  'consent.used': {
    level: 'info',
    text: 'a server is asked for the prefixes of another provider: the administrator consents'
  },
  'policy.deviation': {
    level: 'warn',
    text: 'not every server is asked that RFC 9284 §5.2 would have asked: the policy of the operator'
  },
  'protection.damaged': { level: 'error', text: 'a stored protection is damaged and was not taken up' },
  'protection.not_stored': {
    level: 'error',
    text: 'a protection will be forgotten at a restart, or come back'
  },
  'request.damaged': { level: 'error', text: 'a stored request is damaged and was not taken up' },
  'memory.damaged': { level: 'error', text: 'a stored record is damaged and was not taken up' },
  'memory.unreadable': {
    level: 'error',
    text: 'the store cannot be read; the client starts without its memory'
  },
  'memory.failed': {
    level: 'error',
    text: 'the store did not take what is to survive a restart; tried again'
  },
  'session.changed': { level: 'info', text: 'the session with a server has a new state' },
  'session.down': { level: 'warn', text: 'there is no session with a server' },
  'provisioning.changed': { level: 'info', text: 'a provider has other prefixes now, as far as was learnt' },
  'provisioning.refused': { level: 'warn', text: 'something that was learnt is not acted on' },
  'provisioning.unreadable': { level: 'warn', text: 'a source of what is to be learnt cannot be read' },
  'provisioning.site_refused': {
    level: 'error',
    text: 'what was learnt makes no site that the client could go by; it goes on as before'
  },
  'addresses.unknown': { level: 'warn', text: 'the system does not tell the addresses of this host' },
  'link.down': { level: 'warn', text: 'an interface of a provider has no carrier; its paths come last' },
  'link.up': { level: 'info', text: 'an interface of a provider has a carrier again' },
  'routers.unknown': { level: 'warn', text: 'the system does not tell its default routers' },
  'target.resolved': { level: 'info', text: 'a name by which something is protected has other addresses' },
  'target.unresolved': {
    level: 'warn',
    text: 'nobody says what a name means; what was known of it stays protected'
  },
  'name.unresolved': { level: 'warn', text: 'nobody said where the server is that we were sent to' },
  'server.located': { level: 'info', text: 'the name servers of a provider say where its server is' },
  'server.not_located': {
    level: 'warn',
    text: 'nobody says where a server is, or what was said is refused; it is asked again, and what was known stays'
  },
  'server.stood-in': {
    level: 'warn',
    text: 'of servers that stand in for one another, another one is asked from now on'
  },
  'session.redirected': { level: 'warn', text: 'a server sent us to another, which stands in for it' },
  'session.redirection-over': { level: 'info', text: 'the server that was configured has its turn again' },
  'session.redirect-refused': {
    level: 'warn',
    text: 'a server sent us where we do not go: in circles, or out of its domain'
  },
  'session.alternate-unreachable': {
    level: 'error',
    text: 'a server sends us to another, which cannot be reached: neither of the two serves us'
  },
  'session.cuid-collision': { level: 'warn', text: 'another client had our cuid; it was changed' },
  'session.configuration-unsafe': {
    level: 'warn',
    text: 'a server wants session parameters that are not safe; the nearest that are, are used'
  },
  'session.malformed': { level: 'debug', text: 'a server sent what is no valid message' },
  'session.not_attempted': {
    level: 'warn',
    text: 'nothing could come of a handshake now, so none is sent; it is looked at again within seconds'
  },
  'session.resumed': { level: 'info', text: 'a session came about by the short handshake' },
  'session.ticket_renewed': { level: 'info', text: 'a new ticket stands ready for the next handshake' },
  'session.ticket_not_renewed': {
    level: 'warn',
    text: 'a new ticket could not be had; when the old one ends, handshakes will be full ones'
  },
  'sessions.not_stored': { level: 'error', text: 'sessions will not be resumed after a restart' },
  'sessions.unusable': {
    level: 'warn',
    text: 'stored sessions cannot be used; handshakes will be full ones'
  },
  'tickets.not_stored': { level: 'error', text: 'clients will not resume sessions after a restart' },
  'tickets.unusable': { level: 'error', text: 'stored ticket keys cannot be used; new ones were made' },
  'credentials.reloaded': {
    level: 'info',
    text: 'new handshakes use the credentials of the files as they are now'
  },
  'credentials.not_reloaded': {
    level: 'error',
    text: 'the credentials of the files are unusable; the old ones stay'
  },
  'session.established': { level: 'info', text: 'a client has a session' },
  'session.stream-ended': {
    level: 'info',
    text: 'a session over TCP was ended by the rules of CoAP, or for a newer one of the same client'
  },
  'session.closed': { level: 'info', text: 'the session of a client is over' },
  'server.fault': { level: 'error', text: 'a mistake of ours in one request; the server goes on' },
  'server.leads': { level: 'info', text: 'of the servers that share the store, this one asks the mitigator' },
  'server.follows': { level: 'info', text: 'another server that shares the store asks the mitigator now' },
  'server.resumed': { level: 'info', text: 'stored mitigations were taken up again' },
  'request.answered': { level: 'info', text: 'a request was answered' },
  'mitigation.requested': { level: 'info', text: 'a mitigation was asked for' },
  'mitigation.armed': { level: 'info', text: 'a preconfigured mitigation waits for the loss of the signal' },
  'mitigation.inactive': { level: 'info', text: 'a mitigation is out of force because of another client' },
  'mitigation.stopped': { level: 'info', text: 'a mitigation is in force, and its attack has stopped' },
  'mitigation.stood-down': { level: 'info', text: 'a preconfigured mitigation goes out of force' },
  'mitigation.applying': { level: 'info', text: 'a mitigation is being set up' },
  'mitigation.active': { level: 'info', text: 'a mitigation is in force' },
  'mitigation.failing': { level: 'info', text: 'a mitigation is not in force: the mitigator failed' },
  'mitigation.terminating': { level: 'info', text: 'a mitigation was withdrawn and stays for a while' },
  'mitigation.ended': { level: 'info', text: 'a mitigation is over' },
  'signal.lost': {
    level: 'warn',
    text: 'a client is not heard any more; what it preconfigured comes into force'
  },
  'name.failed': { level: 'warn', text: 'a name could not be resolved' },
  'name.foreign': {
    level: 'warn',
    text: 'a name means addresses that its client may not ask protection for'
  },
  'redirection.changed': { level: 'info', text: 'clients are sent to another server, or no more' },
  'record.damaged': { level: 'error', text: 'a stored mitigation is damaged and was not taken up' },
  'store.failed': { level: 'error', text: 'the store did not take a change' },
  'mitigator.failed': { level: 'error', text: 'the mitigator did not do its part' },
  'mitigator.orphan-withdrawn': { level: 'warn', text: 'a filter that belongs to no mitigation was removed' },
  'mitigator.plan-lost': { level: 'error', text: 'a filter vanished from the device; it is put back' },
  'mitigator.would_apply': { level: 'info', text: 'dry run: would start to discard' },
  'mitigator.would_withdraw': { level: 'info', text: 'dry run: would stop discarding' },
  'heartbeat.unanswered': { level: 'warn', text: 'a client does not answer heartbeats' },
  'heartbeat.silent': { level: 'warn', text: 'a client is silent; its session is closed' },
  'heartbeat.answered-again': { level: 'warn', text: 'a client answers heartbeats again' },
  'session.configuration-stale': {
    level: 'warn',
    text: 'a client did not refresh its session configuration in time'
  },
  'datagram.malformed': { level: 'warn', text: 'a client sent what is no valid message' }
} as const satisfies Readonly<Record<string, EventEntry>>

/** The entry of an event; one that is missing is logged under its own name. */
export function entryOf(event: string): EventEntry {
  const entries: Readonly<Record<string, EventEntry>> = eventCatalogue
  return Object.hasOwn(entries, event) ? (entries[event] ?? unknownEvent(event)) : unknownEvent(event)
}

function unknownEvent(event: string): EventEntry {
  return { level: 'info', text: event }
}
