import { execFile, execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { obstacleOf } from '../two-link-namespace.ts'

/*
 *   host  2001:db8:a::2 wan-a ── lan fe80::1  router
 *         default via fe80::1, in a table of the provider's own
 */
const peer = join(import.meta.dirname, 'link-local-peer.ts')
const [host, router] = [`bw-ll-host-${process.pid}`, `bw-ll-router-${process.pid}`]
const obstacle = obstacleOf()

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' })
}

/** The peer in a namespace, as arguments of `ip`. */
function inside(name: string): readonly string[] {
  return ['netns', 'exec', name, process.execPath, peer]
}

describe.skipIf(obstacle !== undefined)('a default router with nothing but a link-local address', () => {
  let server: ChildProcess | undefined

  beforeEach(() => {
    ip('netns', 'add', host)
    ip('netns', 'add', router)
    ip('link', 'add', 'wan-a', 'netns', host, 'type', 'veth', 'peer', 'name', 'lan', 'netns', router)
    ip('-n', host, 'link', 'set', 'wan-a', 'up')
    ip('-n', router, 'link', 'set', 'lan', 'up')
    ip('-n', host, 'addr', 'add', '2001:db8:a::2/64', 'dev', 'wan-a', 'nodad')
    ip('-n', router, 'addr', 'add', '2001:db8:a::1/64', 'dev', 'lan', 'nodad')
    ip('-n', router, 'addr', 'add', 'fe80::1/64', 'dev', 'lan', 'nodad')
    ip('-n', host, '-6', 'route', 'add', 'default', 'via', 'fe80::1', 'dev', 'wan-a', 'table', '101')
  })

  afterEach(async () => {
    if (server?.exitCode === null && server.kill()) await once(server, 'exit')
    for (const name of [host, router]) ip('netns', 'del', name)
  })

  it.each(['udp', 'tcp'])('is found, and has a session over %s', async (transport) => {
    server = spawn('ip', [...inside(router), 'router', transport], { stdio: ['ignore', 'pipe', 'inherit'] })
    if (server.stdout !== null) await once(server.stdout, 'data')
    const { stdout } = await promisify(execFile)('ip', [...inside(host), 'host', transport], {
      timeout: 30_000
    })
    expect(stdout.trim()).toBe('wan-a fe80::1 established')
  })
})
