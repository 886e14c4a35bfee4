import type { SocketAddress } from '@breakwater/core'
import { address } from '@breakwater/testing'
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { onSamePort } from './same-port.ts'

/** Why dnsmasq cannot be run here; undefined: it can. */
export const obstacle: string | undefined =
  spawnSync('dnsmasq', ['--version']).error === undefined ? undefined : 'there is no dnsmasq'

/** dnsmasq on loopback, with the names of the contract and nothing else. */
export interface NameService {
  readonly address: SocketAddress
  close(): Promise<void>
}

export async function startNameService(): Promise<NameService> {
  const port = await freePort()
  const child = spawn('dnsmasq', dnsmasqArguments(port), { stdio: 'ignore' })
  await untilItListens(child, port)
  return {
    address: { address: address('127.0.0.1'), port },
    close: async () => {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
}

function dnsmasqArguments(port: number): string[] {
  return [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--pid-file',
    '--user=',
    '--no-resolv',
    '--no-hosts',
    `--port=${port}`,
    '--listen-address=127.0.0.1',
    '--bind-interfaces',
    '--local=/example/',
    '--host-record=both.example,192.0.2.1,2001:db8::1,300',
    '--host-record=four.example,192.0.2.4,300',
    '--cname=alias.example,both.example,300',
    '--txt-record=empty.example,nothing'
  ]
}

async function untilItListens(child: ChildProcess, port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`dnsmasq ended with ${child.exitCode}`)
    if (await accepts(port)) return
    await pause(25)
  }
  throw new Error('dnsmasq does not listen')
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (does: boolean): void => {
      socket.destroy()
      resolve(does)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

async function freePort(): Promise<number> {
  const server: Server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A service that takes questions and never answers. */
export async function startSilentService(): Promise<NameService> {
  const { udp, tcp, port } = await onSamePort((socket) => socket.on('error', () => undefined).resume())
  return {
    address: { address: address('127.0.0.1'), port },
    close: async () => {
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    }
  }
}
