import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Answers to `METHOD /path`, without the query: one after the other, the last one again and again. */
export type Script = Readonly<Record<string, readonly (readonly [status: number, body: unknown])[]>>

export interface Asked {
  readonly method: string
  readonly url: string
  readonly body: string
}

/** An agent that says what the test wants, on a real UNIX socket. */
export class ScriptedAgent {
  readonly socket: string
  readonly asked: Asked[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'breakwater-cli-'))
  readonly #server: Server

  constructor(script: Script) {
    this.socket = join(this.#folder, 'agent.sock')
    const left = new Map(Object.entries(script).map(([what, answers]) => [what, [...answers]]))
    this.#server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        const { method = '', url = '' } = request
        this.asked.push({ method, url, body })
        const answers = left.get(`${method} ${url.split('?')[0]}`) ?? []
        const [status, value] = (answers.length > 1 ? answers.shift() : answers[0]) ?? [404, unknown]
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(typeof value === 'string' ? value : JSON.stringify(value))
      })
    })
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(this.socket, resolve)
    })
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

const unknown = {
  error: { family: 'RejectedError', code: 'CONTROL_COMMAND_UNKNOWN', message: 'no such command' }
}
