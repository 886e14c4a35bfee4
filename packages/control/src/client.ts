import {
  ConfigError,
  DecodeError,
  InternalError,
  ProtocolError,
  RejectedError,
  UnavailableError
} from '@breakwater/core'
import type { BreakwaterError } from '@breakwater/core'
import type {
  AgentView,
  DecisionView,
  DomainsView,
  EfficacyRequest,
  ErrorView,
  MitigationView,
  PathsView,
  PlanRequest,
  PlanView,
  ProtectAnswer,
  ProtectionView,
  ProtectRequest,
  RedirectionView,
  SessionView
} from './contract.ts'
import { CONTROL_API_PREFIX } from './path.ts'

const protectionKeys = ['id', 'revision', 'state', 'target', 'requests', 'missing'] as const

/** What the client needs of HTTP: `fetch` in a browser, a UNIX socket in the command line. */
export type ControlTransport = (request: {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  /** JSON. */
  readonly body?: string
}) => Promise<{ readonly status: number; readonly text: string }>

/**
 * Commands an agent over its control API. Every method rejects with the family that the agent reported, with
 * `UnavailableError` when there is no agent, and with `DecodeError` when the answer is none of this contract.
 */
export class ControlClient {
  readonly #transport: ControlTransport

  constructor(transport: ControlTransport) {
    this.#transport = transport
  }

  /** Which agent this is. */
  agent(): Promise<AgentView> {
    return this.#ask('GET', '/agent', ['role', 'version', 'pid', 'uptimeSeconds', 'listen'])
  }

  /** Where a target would go, and why; sends nothing to anybody. */
  plan(request: PlanRequest): Promise<PlanView> {
    return this.#ask('POST', '/plan', ['verdict', 'parts', 'refusals', 'uncovered'], request)
  }

  /** Starts a protection; does not wait for the servers. */
  protect(request: ProtectRequest): Promise<ProtectAnswer> {
    return this.#ask('POST', '/protections', ['accepted'], request)
  }

  async protections(): Promise<readonly ProtectionView[]> {
    return (
      await this.#ask<{ protections: readonly ProtectionView[] }>('GET', '/protections', ['protections'])
    ).protections
  }

  /**
   * One protection. With `after`, waits until its revision is beyond `after.revision`, for `after.waitSeconds` at most
   * (the agent cuts that to 30), and answers with what is then.
   */
  protection(
    id: string,
    after?: { readonly revision: number; readonly waitSeconds: number }
  ): Promise<ProtectionView> {
    const query =
      after === undefined
        ? ''
        : `?afterRevision=${after.revision}&waitSeconds=${Math.max(0, after.waitSeconds).toFixed(3)}`
    return this.#ask('GET', `/protections/${encodeURIComponent(id)}${query}`, protectionKeys)
  }

  /** Withdraws what no other protection needs. */
  release(id: string): Promise<ProtectionView> {
    return this.#ask('DELETE', `/protections/${encodeURIComponent(id)}`, protectionKeys)
  }

  /** Tells the servers that protect it what is seen of the attack. */
  updateEfficacy(id: string, request: EfficacyRequest): Promise<ProtectionView> {
    return this.#ask('POST', `/protections/${encodeURIComponent(id)}/efficacy`, protectionKeys, request)
  }

  async sessions(): Promise<readonly SessionView[]> {
    return (await this.#ask<{ sessions: readonly SessionView[] }>('GET', '/sessions', ['sessions'])).sessions
  }

  /** The paths of a client to its servers; a server answers with `RejectedError`. */
  paths(): Promise<PathsView> {
    return this.#ask('GET', '/paths', ['paths', 'illegal'])
  }

  /**
   * The last decisions about a protection, a server or a path of a client, the oldest first; about a word of the names of paths,
   * those of all that have it. Rejects with `RejectedError` when nothing is known; a server does, too.
   */
  async why(name: string): Promise<readonly DecisionView[]> {
    const path = `/decisions/${encodeURIComponent(name)}`
    return (await this.#ask<{ decisions: readonly DecisionView[] }>('GET', path, ['decisions'])).decisions
  }

  /** What a server mitigates; a client answers with `RejectedError`. */
  async mitigations(): Promise<readonly MitigationView[]> {
    return (
      await this.#ask<{ mitigations: readonly MitigationView[] }>('GET', '/mitigations', ['mitigations'])
    ).mitigations
  }

  /** Sends the clients of a server elsewhere; a client answers with `RejectedError`. */
  async redirect(redirection: RedirectionView): Promise<RedirectionView> {
    return (
      await this.#ask<{ redirection: RedirectionView }>('POST', '/redirection', ['redirection'], redirection)
    ).redirection
  }

  /** Sends nobody elsewhere any more. */
  async stopRedirecting(): Promise<void> {
    await this.#ask<{ redirection: null }>('DELETE', '/redirection', ['redirection'])
  }

  /** What the providers of a client gave it, and what became of that; a server answers with `RejectedError`. */
  domains(): Promise<DomainsView> {
    return this.#ask('GET', '/domains', ['domains', 'unclaimed'])
  }

  async counters(): Promise<Readonly<Record<string, number>>> {
    return (await this.#ask<{ counters: Readonly<Record<string, number>> }>('GET', '/counters', ['counters']))
      .counters
  }

  async #ask<Answer extends object>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    keys: readonly (keyof Answer & string)[],
    body?: unknown
  ): Promise<Answer> {
    const request = { method, path: `${CONTROL_API_PREFIX}${path}` }
    const answer = await this.#transport(
      body === undefined ? request : { ...request, body: JSON.stringify(body) }
    )
    const value = parseJson(answer.text)
    if (answer.status >= 400) throw errorOf(answer.status, value)
    if (!hasKeys<Answer>(value, keys))
      throw new DecodeError(
        'CONTROL_ANSWER_INVALID',
        `the answer to ${method} ${path} is not of this contract`
      )
    return value
  }
}

/**
 * Tells an agent of this suite from anything else that may sit behind a socket. Its answers are not checked any further:
 * the agent runs on this host, under the account that owns the socket, and the schemas would double the start-up time of
 * every command.
 */
function hasKeys<Answer extends object>(
  value: unknown,
  keys: readonly (keyof Answer & string)[]
): value is Answer {
  return typeof value === 'object' && value !== null && keys.every((key) => Object.hasOwn(value, key))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DecodeError('CONTROL_ANSWER_INVALID', 'the answer of the agent is not JSON', { cause: error })
  }
}

/** The agent's error, as the class that it had there. */
function errorOf(status: number, value: unknown): BreakwaterError {
  if (
    !hasKeys<ErrorView>(value, ['error']) ||
    !hasKeys<ErrorView['error']>(value.error, ['family', 'code', 'message'])
  )
    return new DecodeError('CONTROL_ANSWER_INVALID', `the agent answered with status ${status} and no reason`)
  const { family, code, message } = value.error
  switch (family) {
    case 'DecodeError':
      return new DecodeError(code, message)
    case 'ProtocolError':
      return new ProtocolError(code, message, status, 'control API')
    case 'UnavailableError':
      return new UnavailableError(code, message, true)
    case 'ConfigError':
      return new ConfigError(code, message, [])
    case 'InternalError':
      return new InternalError(code, message)
    default:
      return new RejectedError(code, message, status)
  }
}
