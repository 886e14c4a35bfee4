import type { SessionFailure } from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { KeeperBench, fourPaths } from '../keeper-bench.ts'

const NOWHERE = { paths: [], illegal: [] }
const HOUR = 3_600_000
const DAY = 24 * HOUR

/** How each state of the table is reached. The session is named by its path, of which a new run has another one. */
const states: Readonly<Record<string, () => KeeperBench>> = {
  stopped: () => new KeeperBench(),
  'no-path': () => new KeeperBench({ paths: NOWHERE }).start(),
  connecting: () => new KeeperBench().start(),
  established: () => new KeeperBench().start().establish('udp6'),
  'established, probing': () => new KeeperBench().start().pass(600).establish('tcp6').pass(DAY),
  'established, unheard': () => new KeeperBench().start().attack().pass(150).establish('udp6'),
  'silent, rival connecting': () => silent(),
  'silent, rival established': () => silent().pass(200).establish('udp4').rename('udp4', 'rival'),
  'silent, rival pausing': () => failAll(silent()),
  pausing: () => failAll(new KeeperBench().start())
}

function silent(): KeeperBench {
  return new KeeperBench()
    .start()
    .attack()
    .establish('udp6')
    .hear('udp6')
    .rename('udp6', 'old')
    .pass(90_000)
    .silence('old')
}

function failAll(bench: KeeperBench): KeeperBench {
  bench.pass(800)
  for (const name of ['udp6', 'udp4', 'tcp6', 'tcp4']) bench.fail(name)
  return bench
}

/** Events, on the session (or the first attempt) of each state. */
const events: Readonly<Record<string, (bench: KeeperBench, session: string) => KeeperBench>> = {
  start: (bench) => bench.start(),
  stop: (bench) => bench.feed({ kind: 'stop' }),
  established: (bench, session) => bench.establish(session),
  failed: (bench, session) => bench.fail(session),
  closed: (bench, session) => bench.close(session),
  silenced: (bench, session) => bench.silence(session),
  doubted: (bench, session) => bench.doubt(session),
  heard: (bench, session) => bench.hear(session),
  'attack on': (bench) => bench.attack(true),
  'attack off': (bench) => bench.attack(false),
  paths: (bench) => bench.feed({ kind: 'paths', paths: fourPaths() }),
  restore: (bench) => bench.feed({ kind: 'restore', outcomes: { situation: '', outcomes: [] } })
}

/** State → event → [what comes out, state after]; an event that is not named changes nothing. */
const table: Readonly<
  Record<string, readonly [session: string, Readonly<Record<string, readonly [string[], string]>>]>
> = {
  stopped: [
    'udp6',
    {
      start: [['connect udp6'], 'connecting'],
      established: [['close stranger'], 'stopped'],
      stop: [['down'], 'stopped']
    }
  ],
  'no-path': [
    'udp6',
    {
      established: [['close stranger'], 'no-path'],
      paths: [['connect udp6'], 'connecting'],
      stop: [['down'], 'stopped']
    }
  ],
  connecting: [
    'udp6',
    { stop: [['down', 'close udp6'], 'stopped'], established: [['up'], 'established udp6'] }
  ],
  established: [
    'udp6',
    {
      stop: [['close udp6', 'down'], 'stopped'],
      established: [['close udp6'], 'established udp6'],
      failed: [['down'], 'pausing'],
      closed: [['down'], 'pausing'],
      silenced: [['close udp6', 'down'], 'pausing'],
      doubted: [[], 'silent udp6, rival pausing']
    }
  ],
  'established, probing': [
    'tcp6',
    {
      stop: [['close tcp6', 'down', 'close udp6', 'close udp4'], 'stopped'],
      established: [['close tcp6'], 'established tcp6, probing'],
      failed: [['down'], 'connecting'],
      closed: [['down'], 'connecting'],
      silenced: [['close tcp6', 'down'], 'connecting'],
      doubted: [[], 'silent tcp6, rival connecting'],
      'attack on': [['close udp6', 'close udp4'], 'established tcp6']
    }
  ],
  'established, unheard': [
    'udp6',
    {
      stop: [['close udp6', 'down', 'close udp4'], 'stopped'],
      established: [['close udp6'], 'established udp6, unheard'],
      failed: [['down'], 'connecting'],
      closed: [['down'], 'connecting'],
      silenced: [[], 'silent udp6, rival pausing'],
      doubted: [[], 'silent udp6, rival pausing'],
      heard: [['close udp4'], 'established udp6'],
      'attack off': [['close udp4'], 'established udp6']
    }
  ],
  'silent, rival connecting': [
    'old',
    {
      stop: [['close old', 'down', 'close udp6'], 'stopped'],
      established: [['close old'], 'silent udp6, rival connecting'],
      failed: [['down'], 'connecting'],
      closed: [['down'], 'connecting'],
      heard: [['close udp6'], 'established udp6'],
      'attack off': [['close old', 'down'], 'connecting']
    }
  ],
  'silent, rival established': [
    'old',
    {
      stop: [['close old', 'close rival', 'down', 'close udp6', 'close tcp6'], 'stopped'],
      established: [['close old'], 'silent udp6, rival established'],
      failed: [[], 'established udp4, unheard'],
      closed: [[], 'established udp4, unheard'],
      heard: [['close rival', 'close udp6', 'close tcp6'], 'established udp6'],
      'attack off': [['close old', 'close udp6', 'close tcp6'], 'established udp4']
    }
  ],
  'silent, rival pausing': [
    'old',
    {
      stop: [['close old', 'down'], 'stopped'],
      established: [['close old'], 'silent udp6, rival pausing'],
      failed: [['down'], 'pausing'],
      closed: [['down'], 'pausing'],
      heard: [[], 'established udp6'],
      'attack off': [['close old', 'down'], 'pausing']
    }
  ],
  pausing: ['udp6', { stop: [['down'], 'stopped'], established: [['close udp6'], 'pausing'] }]
}

describe('every cell of the table of session states', () => {
  const cells = Object.keys(table).flatMap((state) => Object.keys(events).map((event) => [state, event]))

  it.each(cells)('%s: %s', (state, event) => {
    const bench = states[state]!()
    const [session, expected] = table[state]!
    const before = bench.state()
    bench.take()
    events[event]!(bench, session)
    const outputs = bench.take().map((line) => line.replace(/^\S+ /, ''))
    expect([outputs, bench.state()]).toEqual(expected[event] ?? [[], before])
  })

  it('holds every state', () => {
    expect(Object.keys(table)).toEqual(Object.keys(states))
  })
})

/** A first session of a run that goes on. */
function unheard(): KeeperBench {
  const bench = new KeeperBench().start().attack().pass(150).establish('udp6').rename('udp6', 'first')
  bench.take()
  return bench
}

describe('a new session in an attack', () => {
  it('does not end the run that it came from before the server is heard over it', () => {
    const bench = unheard().pass(200)
    expect(bench.take()).toEqual(['200 connect tcp6', '300 connect tcp4'])
    bench.hear('first')
    expect(bench.take()).toEqual(['350 close udp4', '350 close tcp6', '350 close tcp4'])
    expect(bench.state()).toBe('established udp6')
  })

  it('gets a second one beside it, and requests go over both', () => {
    const bench = unheard().establish('udp4')
    expect(bench.take()).toEqual(['150 up'])
    expect(bench.state()).toBe('silent udp6, rival established')
  })

  it('gives the place of a second one that brought nothing to a third one', () => {
    const bench = unheard().establish('udp4').pass(100)
    bench.take()
    bench.establish('tcp6')
    expect(bench.take()).toEqual(['250 up', '250 close udp4'])
  })

  it('is kept, and the other goes, when the server is heard over it first', () => {
    const bench = unheard().establish('udp4').rename('udp4', 'second').pass(60)
    bench.take()
    bench.hear('first')
    expect(bench.take()).toEqual(['210 close second', '210 close tcp6'])
    expect(bench.state()).toBe('established udp6')
  })

  it('goes, when the server is heard over the other one first', () => {
    const bench = unheard().establish('udp4').rename('udp4', 'second').pass(60)
    bench.take()
    bench.hear('second')
    expect(bench.take()).toEqual(['210 close first', '210 close tcp6'])
    expect(bench.state()).toBe('established udp4')
  })

  it('stays when all else of its run has failed', () => {
    const bench = unheard().pass(200)
    bench.take()
    for (const name of ['udp4', 'tcp6', 'tcp4']) bench.fail(name)
    expect([bench.take(), bench.state()]).toEqual([[], 'established udp6'])
  })
})

/** In peace, one session that has not been heard of while something waits for an answer; its rival is under way. */
function doubted(): KeeperBench {
  const bench = new KeeperBench().start().establish('udp6').rename('udp6', 'old').pass(90_000).doubt('old')
  expect(bench.take().slice(-1)).toEqual(['90000 connect udp6'])
  return bench
}

describe('a session that is in doubt although there is no attack', () => {
  it('goes when the server is heard over the other one', () => {
    const bench = doubted().establish('udp6')
    expect(bench.take()).toEqual(['90000 up'])
    expect(bench.hear('udp6').take()).toEqual(['90000 close old'])
    expect(bench.state()).toBe('established udp6')
  })

  it('stays when the server is heard over it first', () => {
    const bench = doubted().hear('old')
    expect([bench.take(), bench.state()]).toEqual([['90000 close udp6'], 'established udp6'])
  })

  it('is given up when its heartbeats count as lost, and the other one goes on', () => {
    const bench = doubted().silence('old')
    expect([bench.take(), bench.state()]).toEqual([['90000 close old', '90000 down'], 'connecting'])
  })

  it('costs no more handshakes than a loss would', () => {
    const bench = failAll(doubted())
    bench.take()
    expect(bench.pass(55_000).doubt('old').take()).toEqual([])
    expect(bench.pass(10_000).take()).toHaveLength(4)
  })
})

describe('a session that is kept up', () => {
  it('is tried anew at once after a loss, by all paths, but never within 60 s of the last run', () => {
    const bench = new KeeperBench().start().establish('udp6').pass(59_000)
    bench.take()
    bench.close('udp6').pass(2000)
    expect(bench.take()).toEqual([
      '59000 down',
      '60000 connect udp6',
      '60250 connect udp4',
      '60500 connect tcp6',
      '60750 connect tcp4'
    ])
  })

  it('keeps the distance of RFC 9132 §4.7 also when it was stopped in between', () => {
    const bench = new KeeperBench().start().establish('udp6').pass(59_000)
    bench.feed({ kind: 'stop' }).take()
    bench.start().pass(999)
    expect(bench.take()).toEqual([])
    expect(bench.pass(1).take()).toEqual(['60000 connect udp6'])
  })

  it('waits 60 s from the last attempt of a run that failed as a whole, however many paths it had', () => {
    const bench = states['pausing']!()
    expect(bench.take()).toContain('750 connect tcp4')
    bench.pass(60_000)
    expect(bench.take()).toEqual(['60750 connect udp6'])
  })

  it('goes on at once after a run that was given up later than that', () => {
    const bench = new KeeperBench().start().pass(60_750)
    bench.take()
    for (const name of ['udp6', 'udp4', 'tcp6', 'tcp4']) bench.fail(name)
    expect(bench.pass(0).take()).toEqual(['60750 connect udp6'])
  })

  it('says of each path why it came to nothing', () => {
    const bench = new KeeperBench().start().pass(800)
    bench.fail('udp6', 'local').fail('udp4').fail('tcp6', 'certificate-refused').fail('tcp4', 'peer-alert')
    expect(bench.keeper.state).toMatchObject({
      reason:
        'udp 2001:db8:ffff::1 nothing could be sent; udp 192.0.2.1 failed: timeout; ' +
        'tcp 2001:db8:ffff::1 failed: certificate-refused; tcp 192.0.2.1 failed: peer-alert'
    })
  })

  it('tries again soon, and starts no timer, when nothing at all was sent', () => {
    const bench = new KeeperBench().start()
    for (const name of ['udp6', 'udp4', 'tcp6', 'tcp4']) bench.fail(name, 'local')
    bench.take()
    bench.pass(5000)
    expect(bench.take()).toEqual(['5000 connect udp6'])
  })

  it('gives its rivals 100 ms steps, for an attack is on', () => {
    const bench = silent().pass(1000)
    const lines = bench.take().filter((line) => line.includes('connect'))
    expect(lines.slice(1)).toEqual([
      '90000 connect udp6',
      '90100 connect udp4',
      '90200 connect tcp6',
      '90300 connect tcp4'
    ])
  })
})

/** One run that came to nothing for this reason, and no path any more. */
function gone(reason: SessionFailure): KeeperBench {
  const bench = new KeeperBench({ paths: NOWHERE }).start().feed({ kind: 'paths', paths: fourPaths() })
  expect(bench.take()).toEqual(['0 connect udp6'])
  bench.fail('udp6', reason).pass(100).fail('udp4', 'local').pass(100)
  for (const name of ['tcp6', 'tcp4']) bench.fail(name, 'local').pass(100)
  bench.feed({ kind: 'legal', paths: NOWHERE, strays: [] }).pass(6000)
  expect(bench.state()).toBe('no-path')
  bench.take()
  return bench.feed({ kind: 'paths', paths: fourPaths() })
}

describe('paths that come and go', () => {
  it('are tried when they come, and never within 60 s of an attempt that sent something', () => {
    expect(gone('timeout').take()).toEqual([])
    expect(gone('timeout').pass(60_000).take()[0]).toBe('60000 connect udp6')
  })

  it('are tried when they come after attempts that sent nothing, for these are none', () => {
    const bench = gone('local')
    expect(bench.take()).toEqual([`${bench.now} connect udp6`])
  })

  it('are not tried within 60 s of an attempt that was under way when its path went: it may have sent something', () => {
    const bench = new KeeperBench({ paths: NOWHERE }).start().feed({ kind: 'paths', paths: fourPaths() })
    bench.feed({ kind: 'legal', paths: NOWHERE, strays: [] })
    expect(bench.take()).toEqual(['0 connect udp6', '0 close udp6'])
    // An endpoint calls a handshake local that its user gave up, whatever it has sent.
    bench.fail('udp6', 'local').pass(6000).feed({ kind: 'paths', paths: fourPaths() })
    expect(bench.take()).toEqual([])
    expect(bench.pass(60_000).take()[0]).toBe('60000 connect udp6')
  })

  it('are tried during a pause as soon as 60 s from the last attempt are over', () => {
    const paths = fourPaths()
    const [udp6] = paths.paths
    const rule = { firstRetrySeconds: 300 }
    const bench = new KeeperBench({ paths: { paths: [udp6!], illegal: [] }, reconnection: rule }).start()
    bench.pass(1000).fail('udp6').pass(9000)
    bench.take()
    expect(bench.feed({ kind: 'legal', paths, strays: [] }).take()).toEqual([])
    expect(bench.pass(60_000).take()[0]).toMatch(/^60000 connect/)
  })

  it('do not disturb a session that is there', () => {
    const bench = states['established']!().feed({ kind: 'paths', paths: NOWHERE })
    expect(bench.state()).toBe('established udp6')
  })
})
