import type { Instant } from '@breakwater/core'
import type { ServerName } from '../../domain/identifier.ts'
import type { DotsServer, Site } from '../../domain/site.ts'
import type { ClientInput, ClientOutput } from '../client-io.ts'
import type { SessionState } from '../connection/session-state.ts'
import { locationChange } from './location-record.ts'
import { ServerLocator } from './server-locator.ts'
import type { ServerLocation, ServerLocatorInput } from './server-locator.ts'

/** The locator of a client: what it wants becomes outputs of the client, and news for its associations. */
export class ServerLocations {
  readonly #locator: ServerLocator
  readonly #push: (output: ClientOutput) => void

  constructor(site: Site, push: (output: ClientOutput) => void) {
    this.#locator = new ServerLocator(site)
    this.#push = push
  }

  location(server: ServerName): ServerLocation {
    return this.#locator.location(server)
  }

  /** Its addresses are known, or an answer has come, or was waited for in vain. */
  mayBegin({ name, isNamed }: DotsServer): boolean {
    return isNamed !== true || this.#locator.isReady(name)
  }

  take(input: Extract<ClientInput, { readonly kind: 'locations' | 'located' }>, now: Instant): void {
    if (input.kind === 'locations') this.#locator.handle({ ...input, kind: 'remembered' }, now)
    else this.#locator.handle({ ...input, kind: 'answered' }, now)
  }

  /** How it stands with the session. */
  session(server: ServerName, state: SessionState, now: Instant): void {
    const at = state.kind === 'established' ? state.path.remote.address : undefined
    this.#locator.handle({ kind: 'session', server, at }, now)
  }

  handle(input: ServerLocatorInput, now: Instant): void {
    this.#locator.handle(input, now)
  }

  nextTimeout(): Instant | undefined {
    return this.#locator.nextTimeout()
  }

  handleTimeout(now: Instant): void {
    this.#locator.handleTimeout(now)
  }

  /** @param moved Is told of every server that is somewhere else. */
  drain(moved: (server: ServerName) => void): void {
    for (let output = this.#locator.poll(); output !== undefined; output = this.#locator.poll())
      switch (output.kind) {
        case 'ask': {
          const { domain, referenceName: name } = output.server
          this.#push({ kind: 'locate', question: output.question, domain, name })
          break
        }
        case 'moved':
          moved(output.server)
          break
        case 'located': {
          const { name: server, domain, referenceName: name } = output.server
          const event = { kind: 'server-located', server, domain, name, location: output.location } as const
          this.#push({ kind: 'event', event })
          break
        }
        case 'remember':
          this.#push({ kind: 'store', change: locationChange(output.server, output.location) })
      }
  }
}
