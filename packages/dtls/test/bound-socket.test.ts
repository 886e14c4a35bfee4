import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Socket, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { UnavailableError, ipv4 } from '@breakwater/core'
import type { SocketAddress } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { openBoundTcpSocket, openBoundUdpSocket } from '../src/index.ts'

const at = (lastByte: number, port = 0): SocketAddress => ({ address: ipv4(0x7f000000 + lastByte), port })

describe('a bound UDP socket', () => {
  it('sends from the address that it was bound to, through node:dgram', async () => {
    const receiver = createSocket('udp4').bind(0, '127.0.0.1')
    await once(receiver, 'listening')
    const sender = createSocket('udp4').bind({ fd: openBoundUdpSocket({ local: at(77), interface: 'lo' }) })
    sender.send('ping', receiver.address().port, '127.0.0.1')
    const [, from] = (await once(receiver, 'message')) as [Buffer, AddressInfo]
    expect(from.address).toBe('127.0.0.77')
    sender.close()
    receiver.close()
  })

  it('does not open on an interface that is not there', () => {
    const nowhere = { local: at(1), interface: 'nowhere0' }
    expect(() => openBoundUdpSocket(nowhere)).toThrow(UnavailableError)
    expect(() => openBoundUdpSocket(nowhere)).toThrow(/ENODEV/)
  })

  it('does not open on an address that is not ours', () => {
    const foreign = { address: ipv4(0xc0000201), port: 0 }
    expect(() => openBoundUdpSocket({ local: foreign })).toThrow(/EADDRNOTAVAIL/)
  })
})

describe('a bound TCP socket', () => {
  it('connects from the address that it was bound to, through node:net', async () => {
    const server = createServer((connection) => connection.end(connection.remoteAddress ?? ''))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const fd = await openBoundTcpSocket({ local: at(78), interface: 'lo', remote: at(1, port) })
    const socket = new Socket({ fd })
    const [greeting] = (await once(socket, 'data')) as [Buffer]
    expect(greeting.toString()).toBe('127.0.0.78')
    socket.destroy()
    server.close()
  })

  it('says that nobody listens', async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as AddressInfo
    probe.close()
    await once(probe, 'close')
    await expect(openBoundTcpSocket({ local: at(1), remote: at(1, port) })).rejects.toThrow(/ECONNREFUSED/)
  })

  it('gives up in the end', async () => {
    // A listener that stands still: once its queue is full, the kernel drops further attempts.
    const program = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 },
      function () { process.stdout.write(String(this.address().port)) })`
    const listener = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [printed] = (await once(listener.stdout, 'data')) as [Buffer]
    listener.kill('SIGSTOP')
    const remote = at(1, Number(printed.toString()))
    const attempts = Array.from({ length: 8 }, () =>
      openBoundTcpSocket({ local: at(1), remote, timeoutMs: 200 })
    )
    const outcomes = await Promise.allSettled(attempts)
    for (const outcome of outcomes)
      if (outcome.status === 'fulfilled') new Socket({ fd: outcome.value }).destroy()
    listener.kill('SIGKILL')
    const failures = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [String(outcome.reason)] : []
    )
    expect(failures.length).toBeGreaterThan(0)
    expect(new Set(failures)).toEqual(new Set(['UnavailableError: cannot connect: ETIMEDOUT']))
  })
})
