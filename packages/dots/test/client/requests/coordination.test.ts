import { Code, OptionNumber, uintOption } from '@breakwater/coap'
import { Instant, Seconds, WallTime, after } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import { encodeSignal } from '@breakwater/model'
import type { MitigationScopeEntry } from '@breakwater/model'
import { prefix, seededEntropy } from '@breakwater/testing'
import { describe, expect, it } from 'vitest'
import { Calendar } from '../../../src/client/memory/calendar.ts'
import { Coordination } from '../../../src/client/requests/coordination.ts'
import { RequestBook } from '../../../src/client/requests/request-book.ts'
import type { LastingWant } from '../../../src/client/requests/lasting-want.ts'
import type { Errand } from '../../../src/client/session/errand.ts'
import { errandKey } from '../../../src/client/session/errand.ts'
import { parseCuid } from '../../../src/domain/identifier.ts'
import type { Cuid } from '../../../src/domain/identifier.ts'
import type { Trigger } from '../../../src/signal/mapper.ts'
import { want } from '../scripted-server.ts'

const CUID = parseCuid('dz6pHjaADkaFTbjr0JGBpw')!
const ROLLOVER = 3_221_225_471

/** One of two servers that coordinate, and what it was sent and has not answered. */
class Server {
  readonly book: RequestBook
  readonly open = new Map<string, Errand>()
  cuid: Cuid = CUID

  constructor(group: Coordination, calendar: Calendar, pathMtu = 1280) {
    const mtu = { planned: () => pathMtu, said: () => pathMtu }
    const entropy = seededEntropy(1)
    this.book = new RequestBook({ cuid: CUID, calendar, entropy, pathMtu: mtu, coordination: group })
  }

  drain(): void {
    for (let output = this.book.poll(); output !== undefined; output = this.book.poll())
      if (output.kind === 'ask') this.open.set(errandKey(output.errand), output.errand)
      else if (output.kind === 'forget') this.open.delete(errandKey(output.errand))
      else if (output.kind === 'cuid-changed') this.cuid = output.cuid
  }

  /** What is asked and has no answer: `put:5`. */
  get asked(): string[] {
    return [...this.open.keys()].filter((key) => key.startsWith('put') || key.startsWith('delete'))
  }
}

class Servers {
  now: Instant = Instant(0)
  readonly #group = new Coordination()
  readonly one: Server
  readonly other: Server

  constructor(mtuOfOther = 1280, earlier?: number) {
    const calendar = new Calendar()
    calendar.tell(WallTime(1_767_225_600_000), this.now)
    this.one = new Server(this.#group, calendar)
    this.other = new Server(this.#group, calendar, mtuOfOther)
    const reservation = { upTo: earlier ?? 0, isRolledOver: false }
    const legacy = { numbering: { configured: CUID, cuid: CUID, reservation }, records: [] }
    for (const { book } of this.both) book.resume(earlier === undefined ? undefined : legacy, this.now)
    for (const { book } of this.both) book.sessionUp(this.now)
    this.settle()
  }

  get both(): readonly Server[] {
    return [this.one, this.other]
  }

  /** As the pool of associations does: until no server has anything to do for another. */
  settle(): void {
    while (this.#group.isStirred) for (const { book } of this.both) book.coordinate(this.now)
    for (const server of this.both) server.drain()
  }

  want(...wants: readonly LastingWant[]): void {
    for (const { book } of this.both) {
      book.want(wants, this.now)
      this.settle()
    }
  }

  pass(duration: Duration): void {
    this.now = after(this.now, duration)
    for (const { book } of this.both) book.handleTimeout(this.now)
    this.settle()
  }

  answer(server: Server, kind: 'put' | 'delete', code: number, scope?: MitigationScopeEntry): void {
    const errand = [...server.open.values()].find((each) => each.kind === kind)
    if (errand === undefined) throw new Error(`no ${kind} is open`)
    server.open.delete(errandKey(errand))
    const payload =
      scope === undefined ? new Uint8Array(0) : encodeSignal({ mitigationScope: { scope: [scope] } })
    const options = scope === undefined ? [] : [uintOption(OptionNumber.contentFormat, 271)]
    server.book.answer(errand, { code, options, payload }, this.now)
    this.settle()
  }

  /** Both grant all that they are asked for. */
  grantAll(): void {
    for (const server of this.both)
      while (server.asked.some((key) => key.startsWith('put')))
        this.answer(server, 'put', Code.created, { lifetime: 3600 })
  }

  ids(): number[][] {
    return this.both.map(({ book }) => book.requests.map(({ mitigationId }) => mitigationId))
  }
}

function wanted(id: string, text: string, trigger: Trigger = 'immediate'): LastingWant {
  const target = { prefixes: text.split(' ').map(prefix), ports: [], protocols: [] }
  return { ...want(id, target), trigger }
}

/** One of them that has been told to end something. */
function withdrawing({ both }: Servers): Server | undefined {
  return both.find(({ asked }) => asked.some((key) => key.startsWith('delete')))
}

describe('requests at two servers that coordinate', () => {
  it('go by another cuid at both when the one server says that it is taken', () => {
    const servers = new Servers()
    servers.want(wanted('p', '203.0.113.7/32'))
    const before = servers.ids()
    const conflictInformation = { conflictStatus: 1, conflictCause: 3 }
    servers.answer(servers.one, 'put', Code.conflict, { conflictInformation })
    expect(servers.one.cuid).not.toBe(CUID)
    expect(servers.other.cuid).toBe(servers.one.cuid)
    expect(servers.ids()).toEqual(before)
    expect(servers.other.book.cuid).toBe(servers.one.cuid)
  })

  it('keep their cuid while something is in force at the other server', () => {
    const servers = new Servers()
    servers.want(wanted('p', '203.0.113.7/32'))
    servers.answer(servers.other, 'put', Code.created, { lifetime: 3600 })
    const conflictInformation = { conflictStatus: 1, conflictCause: 3 }
    servers.answer(servers.one, 'put', Code.conflict, { conflictInformation })
    expect([servers.one.cuid, servers.other.cuid]).toEqual([CUID, CUID])
  })

  it('get one new id when the servers know a higher one with the same target', () => {
    const servers = new Servers()
    servers.want(wanted('p', '203.0.113.7/32'))
    const [[id]] = servers.ids() as [[number]]
    for (const server of servers.both) {
      const conflictInformation = { conflictStatus: 1, conflictCause: 1, conflictScope: { mid: id + 1000 } }
      servers.answer(server, 'put', Code.conflict, { conflictInformation })
    }
    expect(servers.ids()).toEqual([[id + 1001], [id + 1001]])
    servers.grantAll()
    expect(servers.both.map(({ book }) => book.isMitigating)).toEqual([true, true])
  })

  it('are cut into the same parts, also where one path is narrower', () => {
    const servers = new Servers(576)
    const prefixes = Array.from({ length: 60 }, (_, at) => `203.0.113.${2 * at}/32`)
    servers.want(wanted('p', prefixes.join(' ')))
    const [one, other] = servers.ids()
    expect(one!.length).toBeGreaterThan(1)
    expect(other).toEqual(one)
  })

  describe('when their ids have come far', () => {
    const nets = ['203.0.113.0/25', '203.0.113.128/25'].map((text, at) =>
      wanted(`net-${at}`, text, 'signal-loss')
    )

    /** One is in force at both, the next one gets the last id before the count restarts. */
    function nearlyOver(): Servers {
      const servers = new Servers(1280, ROLLOVER - 2)
      servers.want(nets[0]!)
      servers.grantAll()
      expect(servers.ids()).toEqual([[ROLLOVER - 1], [ROLLOVER - 1]])
      return servers
    }

    it('start at 0 again together, after all of them have been withdrawn at both', () => {
      const servers = nearlyOver()
      servers.want(...nets)
      for (let told = withdrawing(servers); told !== undefined; told = withdrawing(servers)) {
        expect(Math.min(...servers.ids().flat())).toBeGreaterThan(0)
        servers.answer(told, 'delete', Code.deleted)
      }
      expect(servers.ids()).toEqual([
        [0, 1],
        [0, 1]
      ])
      servers.grantAll()
      servers.pass(Seconds(1))
      expect(servers.ids()).toEqual([
        [0, 1],
        [0, 1]
      ])
      expect(servers.both.flatMap(({ asked }) => asked)).toEqual([])
    })

    it('do not while the one server cannot be told what is withdrawn', () => {
      const servers = nearlyOver()
      servers.other.book.sessionDown(servers.now)
      servers.want(...nets)
      expect(servers.one.asked).toEqual([`put:${ROLLOVER}`])
      expect(servers.ids()).toEqual([
        [ROLLOVER - 1, ROLLOVER],
        [ROLLOVER - 1, ROLLOVER]
      ])
    })
  })
})
