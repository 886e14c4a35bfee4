import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { fastify } from 'fastify'
import type { FastifyInstance } from 'fastify'
import { UnavailableError } from '@breakwater/core'
import type { Clock, Log } from '@breakwater/core'
import { CONTROL_API_PREFIX } from '@breakwater/control'
import { addClientCommands } from './client-commands.ts'
import { addServerCommands } from './server-commands.ts'
import { errorAnswer, unknownCommand } from './error-answer.ts'
import type { AgentHandlers, ClientHandlers, ServerHandlers } from './handlers.ts'
import { claimSocketPath } from './socket-file.ts'

/** The largest command names 256 prefixes; this is ten times that. */
const longestBodyBytes = 262_144

export interface ControlServerOptions {
  /** Path of the UNIX socket. */
  readonly socket: string
  readonly handlers: ClientHandlers | ServerHandlers
  readonly clock: Clock
  readonly log: Log
}

export interface ControlServer {
  /** Answers what is under way, then removes the socket. */
  close(): Promise<void>
}

/**
 * Opens the local control API. The socket has mode 0600: the file system says who may command the agent.
 * Rejects with `UnavailableError` when another agent listens there or the path cannot be used.
 */
export async function openControlServer(options: ControlServerOptions): Promise<ControlServer> {
  await claimSocketPath(options.socket)
  const server = createServer()
  const app = fastify({
    // The framework gets a server that already is; it must not open a port of its own.
    serverFactory: (handler) => server.on('request', handler),
    bodyLimit: longestBodyBytes,
    // As they come, Fastify's defaults drop unknown keys and turn "80" into 80: a typing error would go unnoticed.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true } },
    forceCloseConnections: true,
    logger: false
  })
  addErrorAnswers(app, options.log)
  addAgentCommands(app, options.handlers)
  const stopWaiting =
    'plan' in options.handlers
      ? await addClientCommands(app, options.handlers, options.clock)
      : () => undefined
  if ('mitigations' in options.handlers) await addServerCommands(app, options.handlers)
  await app.ready()
  await listen(server, options.socket)
  return {
    async close() {
      stopWaiting()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      })
      await app.close()
    }
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new UnavailableError('CONTROL_SOCKET_UNUSABLE', `cannot listen at ${path}: ${error.message}`, false, {
          cause: error
        })
      )
    )
    // A chmod afterwards would leave a moment in which everybody may connect.
    const before = process.umask(0o177)
    try {
      server.listen(path, () => resolve())
    } finally {
      process.umask(before)
    }
  })
}

function addErrorAnswers(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = errorAnswer(error, log)
    return reply.code(status).send(body)
  })
  app.setNotFoundHandler((request, reply) => {
    const { status, body } = unknownCommand(request.method, request.url)
    return reply.code(status).send(body)
  })
}

function addAgentCommands(app: FastifyInstance, handlers: AgentHandlers): void {
  app.get(`${CONTROL_API_PREFIX}/agent`, () => handlers.agent())
  app.get(`${CONTROL_API_PREFIX}/sessions`, () => ({ sessions: handlers.sessions() }))
  app.get(`${CONTROL_API_PREFIX}/counters`, () => ({ counters: handlers.counters() }))
}
