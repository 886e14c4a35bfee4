import { ConfigError, Instant, Seconds } from '@breakwater/core'
import type { SessionFailure } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { HappyEyeballs, attemptRule } from '../../../src/client/connection/happy-eyeballs.ts'
import type {
  HappyEyeballsInput,
  HappyEyeballsOutput
} from '../../../src/client/connection/happy-eyeballs.ts'
import type { ConnectionId } from '../../../src/client/connection/session-state.ts'

const FOUR = ['udp6', 'udp4', 'tcp6', 'tcp4']

/** A run whose attempts are named by their candidate, under a clock of its own. */
class Bench {
  readonly run: HappyEyeballs<string>
  readonly log: string[] = []
  readonly connections = new Map<string, ConnectionId>()
  now: Instant = Instant(0)
  over: HappyEyeballsOutput<string> | undefined

  constructor(candidates = FOUR, isUnderAttack = false, heldBack: readonly string[] = []) {
    let next = 1
    this.run = new HappyEyeballs({
      candidates: candidates.map((path) => ({ path, isHeldBack: heldBack.includes(path) })),
      rule: attemptRule(),
      isUnderAttack,
      newConnection: () => next++ as ConnectionId
    })
  }

  feed(input: HappyEyeballsInput<string>): this {
    this.run.handle(input, this.now)
    return this.#drain()
  }

  start(): this {
    return this.feed({ kind: 'start' })
  }

  establish(path: string): this {
    return this.feed({ kind: 'established', connection: this.connection(path) })
  }

  fail(path: string, reason: SessionFailure = 'timeout'): this {
    return this.feed({ kind: 'failed', connection: this.connection(path), reason })
  }

  /** A connection that this run never asked for, where the candidate was not tried. */
  connection(path: string): ConnectionId {
    return this.connections.get(path) ?? (99 as ConnectionId)
  }

  pass(milliseconds: number): this {
    const end = Instant(this.now + milliseconds)
    for (let due = this.run.nextTimeout(); due !== undefined && due <= end; due = this.run.nextTimeout()) {
      if (due > this.now) this.now = due
      this.run.handleTimeout(this.now)
      this.#drain()
    }
    this.now = end
    return this
  }

  /** What came out since the last call: `0 connect udp6`. */
  take(): string[] {
    return this.log.splice(0)
  }

  #drain(): this {
    for (let output = this.run.poll(); output !== undefined; output = this.run.poll()) {
      this.log.push(`${this.now} ${this.#text(output)}`)
      if (output.kind === 'won' || output.kind === 'failed') this.over = output
    }
    return this
  }

  #text(output: HappyEyeballsOutput<string>): string {
    switch (output.kind) {
      case 'connect':
        this.connections.set(output.path, output.connection)
        return `connect ${output.path}`
      case 'close': {
        const found = [...this.connections].find(([, connection]) => connection === output.connection)
        return `close ${found?.[0] ?? 'stranger'}`
      }
      case 'won':
        return `won ${output.attempt.path}`
      case 'failed':
        return `failed ${output.reason}`
    }
  }
}

describe('a Happy Eyeballs run', () => {
  it('starts one attempt after the other, 250 ms apart, and waits for no failure', () => {
    const bench = new Bench().start().pass(5000)
    expect(bench.take()).toEqual([
      '0 connect udp6',
      '250 connect udp4',
      '500 connect tcp6',
      '750 connect tcp4'
    ])
  })

  it('takes 100 ms during an attack', () => {
    const bench = new Bench(FOUR, true).start().pass(5000)
    expect(bench.take().map((line) => line.split(' ')[0])).toEqual(['0', '100', '200', '300'])
  })

  it('goes on behind its winner during an attack, until it is cancelled', () => {
    const bench = new Bench(FOUR, true).start().pass(150)
    bench.establish('udp6')
    expect(bench.over).toMatchObject({ kind: 'won', goesOn: true })
    expect(bench.log.filter((line) => line.includes('close'))).toEqual([])
    bench.pass(100)
    bench.establish('udp4')
    expect(bench.over).toMatchObject({ kind: 'won', attempt: { path: 'udp4' }, goesOn: true })
    bench.feed({ kind: 'cancel' })
    expect(bench.log.filter((line) => line.includes('close')).join(' ')).toContain('tcp6')
    expect(bench.run.nextTimeout()).toBeUndefined()
  })

  it('hurries when an attack begins, and takes its time when it is over', () => {
    const bench = new Bench().start().pass(50).feed({ kind: 'attack', isOn: true }).pass(60)
    expect(bench.take()).toEqual(['0 connect udp6', '100 connect udp4'])
    bench.feed({ kind: 'attack', isOn: false }).pass(1000)
    expect(bench.take()).toEqual(['350 connect tcp6', '600 connect tcp4'])
  })

  it('closes the others when one wins, and tells what came of each', () => {
    const bench = new Bench().start().pass(300)
    bench.take()
    bench.fail('udp4', 'peer-alert').pass(250).establish('tcp6')
    expect(bench.take()).toEqual(['500 connect tcp6', '550 close udp6', '550 won tcp6'])
    expect(bench.over).toMatchObject({
      kind: 'won',
      outcomes: [
        { path: 'udp4', outcome: { kind: 'failed', reason: 'peer-alert' } },
        { path: 'tcp6', outcome: { kind: 'won', took: 50 } },
        { path: 'udp6', outcome: { kind: 'outrun', waited: 550 } },
        { path: 'tcp4', outcome: { kind: 'untried' } }
      ]
    })
  })

  it('goes on at once, but not within 100 ms, when nothing is under way any more', () => {
    const bench = new Bench().start().pass(20).fail('udp6').pass(1000)
    expect(bench.take().slice(0, 2)).toEqual(['0 connect udp6', '100 connect udp4'])
    const late = new Bench(['udp6', 'udp4']).start().pass(600)
    late.fail('udp6').pass(100).fail('udp4')
    expect(late.take()).toEqual(['0 connect udp6', '250 connect udp4', '700 failed timeout'])
  })

  it('passes over what could not even be sent, in no time', () => {
    const bench = new Bench().start().fail('udp6', 'local').fail('udp4', 'local').pass(10)
    expect(bench.take()).toEqual(['0 connect udp6', '0 connect udp4', '0 connect tcp6'])
  })

  it('fails as one, with the reason of each, when all have failed', () => {
    const bench = new Bench().start().pass(1000)
    bench.fail('udp4', 'timeout').fail('tcp4', 'certificate-refused').fail('udp6', 'local')
    expect(bench.over).toBeUndefined()
    bench.fail('tcp6', 'local')
    expect(bench.over).toMatchObject({ kind: 'failed', reason: 'certificate-refused' })
    expect(bench.run.outcomes).toHaveLength(4)
  })

  it.each([[[]], [['udp4']], [FOUR]])('says that nothing was sent when that is so: %j', (candidates) => {
    const bench = new Bench(candidates).start()
    for (const path of candidates) bench.fail(path, 'local')
    expect(bench.over).toMatchObject({ kind: 'failed', reason: 'local' })
    expect(bench.run.nextTimeout()).toBeUndefined()
  })

  it('lets a candidate wait 2 s that did badly before, unless there is nothing else to wait for', () => {
    const bench = new Bench(['tcp4', 'udp6', 'udp4'], true, ['udp6', 'udp4']).start().pass(2500)
    expect(bench.take()).toEqual(['0 connect tcp4', '2000 connect udp6'])
    const alone = new Bench(['tcp4', 'udp6'], true, ['udp6']).start().pass(30).fail('tcp4').pass(100)
    expect(alone.take()).toEqual(['0 connect tcp4', '100 connect udp6'])
  })

  it('refuses delays that RFC 8305 forbids, with every mistake', () => {
    const faulty = { attemptDelayMilliseconds: 9, attackAttemptDelayMilliseconds: 2001 }
    const problems = (): readonly string[] => {
      try {
        attemptRule(faulty)
        return []
      } catch (error) {
        return error instanceof ConfigError ? error.problems.map(({ path }) => path) : []
      }
    }
    expect(problems()).toEqual(Object.keys(faulty))
  })
})

function ready(): Bench {
  return new Bench(['udp6', 'udp4'])
}

function racing(): Bench {
  return ready().start()
}

function over(): Bench {
  return racing().establish('udp6')
}

describe('every cell of the table', () => {
  const cell: Readonly<Record<string, (bench: Bench) => Bench>> = {
    start: (bench) => bench.start(),
    established: (bench) => bench.establish('udp6'),
    'established of another': (bench) => bench.establish('nobody'),
    failed: (bench) => bench.fail('udp6'),
    'failed of another': (bench) => bench.fail('nobody'),
    attack: (bench) => bench.feed({ kind: 'attack', isOn: true }),
    cancel: (bench) => bench.feed({ kind: 'cancel' }),
    time: (bench) => bench.pass(300)
  }
  const expected: readonly (readonly [string, () => Bench, string, readonly string[]])[] = [
    ['ready', ready, 'start', ['0 connect udp6']],
    ['ready', ready, 'established', ['0 close stranger']],
    ['ready', ready, 'established of another', ['0 close stranger']],
    ['ready', ready, 'failed', []],
    ['ready', ready, 'failed of another', []],
    ['ready', ready, 'attack', []],
    ['ready', ready, 'cancel', []],
    ['ready', ready, 'time', []],
    ['racing', racing, 'start', []],
    ['racing', racing, 'established', ['0 won udp6']],
    ['racing', racing, 'established of another', ['0 close stranger']],
    ['racing', racing, 'failed', []],
    ['racing', racing, 'failed of another', []],
    ['racing', racing, 'attack', []],
    ['racing', racing, 'cancel', ['0 close udp6']],
    ['racing', racing, 'time', ['250 connect udp4']],
    ['over', over, 'start', []],
    ['over', over, 'established', ['0 close udp6']],
    ['over', over, 'established of another', ['0 close stranger']],
    ['over', over, 'failed', []],
    ['over', over, 'failed of another', []],
    ['over', over, 'attack', []],
    ['over', over, 'cancel', []],
    ['over', over, 'time', []]
  ]

  it.each(expected)('%s: %s %s', (_state, make, event, outputs) => {
    const bench = make()
    bench.take()
    cell[event]!(bench)
    expect(bench.take()).toEqual(outputs)
  })

  it('is tested', () => {
    expect(expected).toHaveLength(3 * Object.keys(cell).length)
  })

  it('what was cancelled stays silent for ever', () => {
    const bench = racing().feed({ kind: 'cancel' })
    bench.take()
    bench.pass(Seconds(100)).fail('udp6')
    expect(bench.take()).toEqual([])
  })
})
