import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openEventLog } from '../../src/log/event-log.ts'
import type { EventLog } from '../../src/log/event-log.ts'
import type { Level } from '../../src/log/event-catalogue.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-'))
  file = join(folder, 'log')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What stands in the file after some events. */
async function logged(level: Level, pretty: boolean, act: (log: EventLog) => void): Promise<string[]> {
  const log = openEventLog({ level, pretty, destination: file })
  act(log)
  await log.close()
  return readFileSync(file, 'utf8').trimEnd().split('\n')
}

describe('the event log', () => {
  it('writes one JSON object per event, with the operator text of the catalogue', async () => {
    const [line] = await logged('info', false, (log) => log.info('agent.ready', { role: 'last' }))
    expect(JSON.parse(line ?? '')).toMatchObject({
      event: 'agent.ready',
      msg: 'the agent is ready',
      role: 'last',
      pid: process.pid
    })
  })

  it('leaves out what is less severe than its level', async () => {
    const lines = await logged('warn', false, (log) => {
      log.debug('a')
      log.info('b')
      log.warn('c')
      log.error('d', { text: 'last' })
    })
    expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['c', 'd'])
  })

  it('writes lines for people, and quotes what could pass for something else', async () => {
    const lines = await logged('info', true, (log) => {
      log.debug('unseen')
      log.warn('session.down', { server: 'isp-a', text: 'a b\nFAKE level=error', missing: undefined })
      log.info('unlisted.event', { list: ['a', 'b'], text: 'last' })
    })
    expect(lines.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      String.raw`WARN  there is no session with a server (session.down) server=isp-a text="a b\nFAKE level=error"`,
      'INFO  unlisted.event (unlisted.event) list=a,b text=last'
    ])
  })

  it.each([true, false])(
    'keeps secrets out even when an event carries one by mistake (pretty: %s)',
    async (pretty) => {
      const lines = await logged('info', pretty, (log) => {
        log.info('a', { key: 'c0ffee', psk: 'c0ffee', privateKey: 'c0ffee', password: 'c0ffee' })
        log.info('last')
      })
      expect(lines.join()).not.toContain('c0ffee')
      expect(lines.join()).toContain('[secret]')
    }
  )
})
