import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatIpAddress } from '@breakwater/core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { NameWatch } from '../../../src/provisioning/advertised-names/name-watch.ts'
import { CAPTURED, bytesOf, linkBytes, optionBytes, serversOption } from './netlink-bytes.ts'

const PATIENCE = { timeout: 15_000, interval: 5 } as const

let folder: string
let watch: NameWatch | undefined
let changes: number
let refusals: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-names-'))
  changes = 0
  refusals = []
})
afterEach(async () => {
  await watch?.close()
  rmSync(folder, { recursive: true })
})

/** A shell script in the place of `rtmon` and `rdisc6`: they are its first word. */
function start(script: string, bytes: Buffer, interfaces: readonly string[] = ['wan1']): void {
  const file = join(folder, 'programs')
  writeFileSync(join(folder, 'bytes'), bytes)
  writeFileSync(file, `cd ${folder}\necho "$@" >> started\n${script}\n`)
  watch = new NameWatch({
    prefix: ['sh', file],
    clock: systemClock(),
    interfaces,
    onChange: () => changes++,
    onRefused: (place, reason) => refusals.push(`${place}: ${reason}`)
  })
}

function started(): string[] {
  return readFileSync(join(folder, 'started'), 'utf8').trim().split('\n')
}

function starts(program: string): number {
  return started().filter((line) => line.startsWith(program)).length
}

function resolvers(): string[] {
  return [...(watch?.known(systemClock().now()) ?? [])].flatMap(([via, names]) =>
    names.resolvers.map(({ address }) => `${via} ${formatIpAddress(address)}`)
  )
}

it('routers are asked once the kernel is listened to, on each interface', async () => {
  const whenAsked = '[ "$1" = rdisc6 ] && exec touch asked'
  const answer = 'until [ -e asked ]; do sleep 0.01; done; cat answer; exec sleep 60'
  writeFileSync(join(folder, 'answer'), bytesOf(CAPTURED.servers))
  start(`${whenAsked}\ncat bytes; ${answer}`, linkBytes(2, 'wan1'), ['wan1', 'wan2'])
  await vi.waitFor(() => expect(resolvers()).toEqual(['wan1 2001:db8:a::53']), PATIENCE)
  expect(changes).toBe(1)
  await vi.waitFor(() => expect(started()).toHaveLength(3), PATIENCE)
  const [first = '', ...others] = started()
  expect(first).toBe('rtmon file /dev/stdout')
  expect(others.toSorted()).toEqual(['rdisc6 -q -1 -r 3 -w 1000 wan1', 'rdisc6 -q -1 -r 3 -w 1000 wan2'])
})

it('what was told before a restart holds, and routers are asked again', async () => {
  const script =
    '[ "$1" = rdisc6 ] && exit 1\n[ -e again ] && { cat bytes; exec sleep 60; }\ntouch again; cat bytes'
  start(script, Buffer.concat([linkBytes(2, 'wan1'), bytesOf(CAPTURED.servers)]))
  await vi.waitFor(() => expect(starts('rdisc6')).toBe(2), PATIENCE)
  expect(resolvers()).toEqual(['wan1 2001:db8:a::53'])
  expect(refusals).toEqual([])
})

it('nonsense ends the program, is complained about once, and another one is started', async () => {
  start('[ "$1" = rdisc6 ] && exit 1\ncat bytes; exec sleep 60', Buffer.alloc(64, 1))
  await vi.waitFor(() => expect(starts('rtmon')).toBe(2), PATIENCE)
  expect(refusals).toEqual(['name servers in advertisements: a netlink message of 16843009 bytes'])
})

it('options that are none are refused, once for each kind', async () => {
  const bad = bytesOf(CAPTURED.servers)
  // A length of two units is no whole address.
  bad[33] = 2
  start(
    '[ "$1" = rdisc6 ] && exit 1\ncat bytes; exec sleep 60',
    Buffer.concat([linkBytes(2, 'wan1'), bad, bad, bytesOf(CAPTURED.domains)])
  )
  await vi.waitFor(() => expect(changes).toBe(1), PATIENCE)
  expect(refusals).toEqual(['advertisements by wan1: an option with name servers has 24 bytes'])
})

it('what is taken of a message that names too many is told of at once', async () => {
  const addresses = Array.from({ length: 17 }, (_, n) => `20010db80000000000000000000001${10 + n}`)
  start(
    '[ "$1" = rdisc6 ] && exit 1\ncat bytes; exec sleep 60',
    Buffer.concat([linkBytes(2, 'wan1'), optionBytes(2, serversOption(60, ...addresses))])
  )
  await vi.waitFor(() => expect(refusals).toHaveLength(1), PATIENCE)
  expect(changes).toBe(1)
  expect(resolvers()).toHaveLength(16)
})
