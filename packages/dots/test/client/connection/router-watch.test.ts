import { Instant } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { RouterWatch } from '../../../src/client/connection/router-watch.ts'
import type { RouterWatchInput } from '../../../src/client/connection/router-watch.ts'
import type { DefaultRouter } from '../../../src/domain/default-routers.ts'
import { ServerName } from '../../../src/domain/identifier.ts'
import { ip } from '../../multihoming/sites.ts'

const SERVER = ServerName('isp-a')
const ROUTER: DefaultRouter = { interface: 'wan-a', address: ip('192.0.2.1') }

class Bench {
  now: Instant = Instant(0)
  readonly watch: RouterWatch

  constructor(servers: readonly ServerName[] = [SERVER]) {
    this.watch = new RouterWatch(servers)
  }

  feed(input: RouterWatchInput): this {
    this.watch.handle(input, this.now)
    return this
  }

  pass(milliseconds: number): this {
    this.now = Instant(this.now + milliseconds)
    this.watch.handleTimeout(this.now)
    return this
  }

  take(): string[] {
    const texts: string[] = []
    for (let output = this.watch.poll(); output !== undefined; output = this.watch.poll())
      texts.push(output.kind === 'read' ? 'read' : `${output.routers.length} routers`)
    return texts
  }
}

function off(): Bench {
  return new Bench()
}

function reading(): Bench {
  return off().feed({ kind: 'start' })
}

function waiting(): Bench {
  return reading().feed({ kind: 'routers', routers: [ROUTER] })
}

const events: Readonly<Record<string, (bench: Bench) => Bench>> = {
  start: (bench) => bench.feed({ kind: 'start' }),
  stop: (bench) => bench.feed({ kind: 'stop' }).pass(60_000),
  routers: (bench) => bench.feed({ kind: 'routers', routers: [] }),
  session: (bench) => bench.feed({ kind: 'session', server: SERVER, isUp: true }).pass(60_000),
  time: (bench) => bench.pass(5000)
}

describe('every cell of the table of a router watch', () => {
  const cells: readonly (readonly [string, () => Bench, string, readonly string[]])[] = [
    ['off', off, 'start', ['read']],
    ['off', off, 'stop', []],
    ['off', off, 'routers', []],
    ['off', off, 'session', []],
    ['off', off, 'time', []],
    ['reading', reading, 'start', []],
    ['reading', reading, 'stop', []],
    ['reading', reading, 'routers', ['0 routers']],
    ['reading', reading, 'session', []],
    ['reading', reading, 'time', []],
    ['waiting', waiting, 'start', []],
    ['waiting', waiting, 'stop', []],
    ['waiting', waiting, 'routers', []],
    ['waiting', waiting, 'session', []],
    ['waiting', waiting, 'time', ['read']]
  ]

  it.each(cells)('%s: %s %s', (_state, make, event, expected) => {
    const bench = make()
    bench.take()
    expect(events[event]!(bench).take()).toEqual(expected)
  })

  it('is tested', () => {
    expect(cells).toHaveLength(3 * Object.keys(events).length)
  })
})

describe('a router watch', () => {
  it('tells only of changes', () => {
    const bench = waiting()
    bench.take()
    bench.pass(5000).feed({ kind: 'routers', routers: [ROUTER] })
    expect(bench.take()).toEqual(['read'])
    bench.pass(5000).feed({ kind: 'routers', routers: [] })
    expect(bench.take()).toEqual(['read', '0 routers'])
  })

  it('believes what it knew when the system does not tell, and nothing when it never did', () => {
    const bench = reading().feed({ kind: 'routers', routers: undefined })
    expect(bench.take()).toEqual(['read', '0 routers'])
    const later = waiting().pass(5000).feed({ kind: 'routers', routers: undefined })
    expect(later.take()).toEqual(['read', '1 routers', 'read'])
  })

  it('looks again at once when the session is lost, and not for sessions with others', () => {
    const bench = waiting().feed({ kind: 'session', server: SERVER, isUp: true }).pass(600_000)
    bench.take()
    bench.feed({ kind: 'session', server: ServerName('isp-b'), isUp: false }).pass(0)
    expect(bench.take()).toEqual([])
    bench.feed({ kind: 'session', server: SERVER, isUp: false }).pass(0)
    expect(bench.take()).toEqual(['read'])
  })

  it('does not look where no server is a default router', () => {
    const bench = new Bench([]).feed({ kind: 'start' })
    expect(bench.take()).toEqual([])
  })
})
