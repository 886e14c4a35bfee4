import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { DecodeError, UnavailableError } from '@breakwater/core'
import { ControlClient } from '@breakwater/control'
import type { ControlTransport } from '@breakwater/control'

const clientSocket = '/run/breakwater/client.sock'
const serverSocket = '/run/breakwater/server.sock'

/** Longer than the longest wait of the API, so that only a stuck agent runs into it. */
const answerTimeoutMs = 40_000

/** No answer is longer; a wrong socket could send for ever. */
const longestAnswerBytes = 64 * 1024 * 1024

/**
 * Finds the agent to command: `--socket`, else DOTS_SOCKET, else the socket of a client in its default place, else that
 * of a server.
 */
export function connectToAgent(socket: string | undefined): ControlClient {
  const chosen =
    socket ?? process.env['DOTS_SOCKET'] ?? (existsSync(clientSocket) ? clientSocket : defaultSocket())
  return new ControlClient(socketTransport(chosen))
}

function defaultSocket(): string {
  return existsSync(serverSocket) ? serverSocket : clientSocket
}

/** HTTP over a UNIX socket. */
export function socketTransport(socketPath: string): ControlTransport {
  return ({ method, path, body }) =>
    new Promise((resolve, reject) => {
      const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
      const call = request(
        { socketPath, method, path, headers, agent: false, timeout: answerTimeoutMs },
        (answer) => {
          const chunks: Buffer[] = []
          let bytes = 0
          answer.on('data', (chunk: Buffer) => {
            bytes += chunk.length
            if (bytes > longestAnswerBytes)
              call.destroy(
                new DecodeError(
                  'CONTROL_ANSWER_INVALID',
                  `the answer is longer than ${longestAnswerBytes} bytes`
                )
              )
            else chunks.push(chunk)
          })
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') })
          )
          answer.on('error', (error) => reject(unreachable(socketPath, error)))
        }
      )
      call.on('timeout', () => call.destroy(new Error('it does not answer')))
      call.on('error', (error) =>
        reject(error instanceof DecodeError ? error : unreachable(socketPath, error))
      )
      call.end(body)
    })
}

function unreachable(socketPath: string, cause: Error): UnavailableError {
  const message = `no agent at ${socketPath}: ${reasonOf(cause)}`
  return new UnavailableError('CONTROL_AGENT_UNREACHABLE', message, true, { cause })
}

function reasonOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such socket'
  if (code === 'ECONNREFUSED') return 'nobody listens there'
  if (code === 'EACCES') return 'permission denied'
  return error.message
}
