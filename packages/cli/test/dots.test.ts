import { existsSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { dots } from './run-dots.ts'
import { ScriptedAgent } from './scripted-agent.ts'
import type { Script } from './scripted-agent.ts'

let agent: ScriptedAgent | undefined
afterEach(async () => {
  await agent?.stop()
  agent = undefined
})

async function withAgent(script: Script): Promise<ScriptedAgent> {
  agent = await new ScriptedAgent(script).start()
  return agent
}

const about = { version: '0.1.0', pid: 4711, uptimeSeconds: 7325, listen: [] }
const target = { prefixes: ['203.0.113.7/32'], ports: [{ lower: 80, upper: 80 }], protocols: [17] }

function protection(revision: number, state: string, request: object): object {
  return {
    id: 'p-1',
    revision,
    state,
    target,
    requests: [
      {
        server: 'isp-a',
        domain: 'isp-a',
        prefixes: ['203.0.113.7/32'],
        state: 'asking',
        text: 'not yet',
        ...request
      }
    ],
    missing: state === 'protected' ? [] : ['isp-b: there is no session; it is tried again']
  }
}

const asking = protection(1, 'asking', {})
const granted = protection(2, 'protected', {
  state: 'in-force',
  status: 'attack successfully mitigated',
  remainingLifetimeSeconds: 3540,
  droppedPackets: '12345678901234567890'
})

const plan = {
  verdict: 'placed',
  parts: [
    {
      prefixes: ['203.0.113.7/32'],
      class: 'assigned by isp-a',
      asked: [
        {
          server: 'isp-a',
          domain: 'isp-a',
          text: 'isp-a assigned it: only its own servers are asked (RFC 9284 §5.1)'
        }
      ],
      notAsked: [{ server: 'isp-b', domain: 'isp-b', text: 'isp-b did not assign it' }]
    }
  ],
  refusals: [],
  uncovered: [],
  waiting: [],
  translated: []
}

describe('dots protect', () => {
  it('says that more is missing than the protection allows', async () => {
    const { socket } = await withAgent({
      'POST /v1/protections': [[201, { accepted: true, protection: { ...asking, alarm: true } }]]
    })
    const { stdout } = await dots(['protect', '203.0.113.7', '--socket', socket])
    expect(stdout).toContain('  alarm: more is missing than this protection allows')
  })

  it('sends the target of the command line and shows what is under way', async () => {
    const { socket, asked } = await withAgent({
      'POST /v1/protections': [[201, { accepted: true, protection: asking }]]
    })
    const narrowed = ['--port', '80,443', '8000-8010', '--protocol', 'udp', '6']
    const rest = ['--lifetime', '2h', '--allow-partial', '--require', 'any', '--socket', socket]
    const { code, stdout } = await dots(['protect', '203.0.113.7', '2001:db8::/32', ...narrowed, ...rest])
    expect(code).toBe(0)
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      prefixes: ['203.0.113.7/32', '2001:db8::/32'],
      ports: [
        { lower: 80, upper: 80 },
        { lower: 443, upper: 443 },
        { lower: 8000, upper: 8010 }
      ],
      protocols: [17, 6],
      allowPartial: true,
      lifetimeSeconds: 7200,
      require: 'any'
    })
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'p-1: asking, 203.0.113.7/32 udp 80',
      '  SERVER  STATE   TARGET          WHAT THE SERVER SAYS',
      '  isp-a   asking  203.0.113.7/32  not yet'
    ])
  })

  it('--wait tells what each server says, until it is protected', async () => {
    const { socket, asked } = await withAgent({
      'POST /v1/protections': [[201, { accepted: true, protection: asking }]],
      'GET /v1/protections/p-1': [
        [200, asking],
        [200, granted]
      ]
    })
    const { code, stdout, stderr } = await dots(['protect', '203.0.113.7', '--wait', '--socket', socket])
    expect(code).toBe(0)
    expect(stderr.trimEnd().split('\n')).toEqual([
      'protection p-1 started, waiting for the servers …',
      'isp-a: not yet',
      'isp-a: attack successfully mitigated, 59 min left, 12,345,678,901,234,567,890 packets dropped'
    ])
    expect(stdout).toContain('p-1: protected')
    expect(asked.at(-1)?.url).toMatch(/^\/v1\/protections\/p-1\?afterRevision=1&waitSeconds=20/)
  })

  it('--wait --json prints one object, and nothing else', async () => {
    const { socket } = await withAgent({
      'POST /v1/protections': [[201, { accepted: true, protection: asking }]],
      'GET /v1/protections/p-1': [
        [200, asking],
        [200, granted]
      ]
    })
    const { code, stdout, stderr } = await dots([
      'protect',
      '203.0.113.7',
      '--wait',
      '--json',
      '--socket',
      socket
    ])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.trimEnd().split('\n')).toHaveLength(1)
    expect(JSON.parse(stdout)).toMatchObject({
      accepted: true,
      timedOut: false,
      protection: { state: 'protected' }
    })
  })

  it('ends with 5 when --wait runs out of time', async () => {
    const { socket } = await withAgent({
      'POST /v1/protections': [[201, { accepted: true, protection: asking }]],
      'GET /v1/protections/p-1': [[200, asking]]
    })
    const { code, stderr } = await dots([
      'protect',
      '203.0.113.7',
      '--wait',
      '--timeout',
      '0',
      '--socket',
      socket
    ])
    expect(code).toBe(5)
    expect(stderr).toContain('the agent goes on trying')
  })

  it('ends with 3 when a server refuses, and when nothing is sent at all', async () => {
    const refused = {
      ...plan,
      verdict: 'refused',
      parts: [],
      refusals: [{ prefixes: ['192.0.2.1/32'], because: 'foreign', text: 'not ours' }]
    }
    const { socket } = await withAgent({
      'POST /v1/protections': [
        [201, { accepted: true, protection: asking }],
        [200, { accepted: false, plan: refused }]
      ],
      'GET /v1/protections/p-1': [
        [200, protection(2, 'refused', { state: 'refused', text: '4.03: not yours' })]
      ]
    })
    const byServer = await dots(['protect', '203.0.113.7', '--wait', '--socket', socket])
    expect(byServer.code).toBe(3)
    expect(byServer.stdout).toContain('4.03: not yours')
    const byPlacement = await dots(['protect', '192.0.2.1', '--socket', socket])
    expect(byPlacement.code).toBe(3)
    expect(byPlacement.stdout).toBe('Refused: nothing was sent to anybody.\n  refused not ours\n')
  })

  it.each([
    [['protect'], 'name a target: an address, a prefix, --fqdn, --uri or --alias'],
    [['protect', 'example.org'], '"example.org" is no address and no prefix; a domain name goes with --fqdn'],
    [['protect', 'https://a.example'], 'a URI goes with --uri'],
    [['protect', '203.0.113.7/24'], 'bits are set behind its length'],
    [['protect', '203.0.113.7', '--port', '99999'], '"99999" is no port'],
    [['protect', '203.0.113.7', '--port', '90-80'], '"90-80" is no port'],
    [['protect', '203.0.113.7', '--protocol', 'ip'], '"ip" is no protocol'],
    [['protect', '203.0.113.7', '--protocol', '256'], '"256" is no protocol'],
    [['protect', '203.0.113.7', '--lifetime', '0'], '"0" is no lifetime'],
    [
      ['protect', '203.0.113.7', '--policy', 'one'],
      "'one' is invalid. Allowed choices are all, serial, divide"
    ],
    [['protect', '203.0.113.7', '--timeout', '-5', '--wait'], '"-5" is no time-out'],
    [['protect', '203.0.113.7', '--colour'], "unknown option '--colour'"],
    [['protekt'], "unknown command 'protekt'"],
    [['server'], "required option '-c, --config <file>' not specified"]
  ])('ends with 2 on %j', async (args, reason) => {
    const { code, stdout, stderr } = await dots(args, { DOTS_SOCKET: '/nowhere' })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(reason)
  })
})

describe('dots plan', () => {
  it('prints who is asked and who is not, with the reasons, and fits 80 columns', async () => {
    const { socket, asked } = await withAgent({ 'POST /v1/plan': [[200, plan]] })
    const { code, stdout } = await dots(['plan', '203.0.113.7', '--socket', socket])
    expect(code).toBe(0)
    expect(stdout.trimEnd().split('\n')).toEqual([
      'Placed: all of it.',
      '203.0.113.7/32 is assigned by isp-a',
      '  ask isp-a: isp-a assigned it: only its own servers are asked (RFC 9284 §5.1)',
      '  not isp-b: isp-b did not assign it'
    ])
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /v1/plan'])
  })

  it('names who stands by with what is preconfigured, and refuses what nobody can be asked for', async () => {
    const net = { domain: 'isp-a', prefixes: ['203.0.113.0/25'] }
    const preconfigured = [
      { ...net, servers: ['isp-a'], text: 'stands by with isp-a' },
      { ...net, servers: [], text: 'nobody stands by' }
    ]
    const { socket } = await withAgent({ 'POST /v1/plan': [[200, { ...plan, preconfigured }]] })
    const { stdout } = await dots(['plan', '203.0.113.7', '--socket', socket])
    expect(stdout.trimEnd().split('\n').slice(-2)).toEqual([
      '  preconfigured 203.0.113.0/25 of isp-a: stands by with isp-a',
      '  refused preconfigured 203.0.113.0/25 of isp-a: nobody stands by'
    ])
  })

  it('asks for a policy, and prints from what it deviates', async () => {
    const [part] = plan.parts
    const deviation = { policy: 'serial', text: 'policy serial deviates from RFC 9284 §5.2' }
    const answer = { ...plan, parts: [{ ...part, deviation }] }
    const { socket, asked } = await withAgent({ 'POST /v1/plan': [[200, answer]] })
    const { stdout } = await dots(['plan', '203.0.113.7', '--policy', 'serial', '--socket', socket])
    expect(stdout).toContain('  deviation policy serial deviates from RFC 9284 §5.2\n')
    expect(asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { prefixes: ['203.0.113.7/32'], policy: 'serial' }
    ])
  })
})

describe('dots status', () => {
  const client: Script = {
    'GET /v1/agent': [[200, { ...about, role: 'client' }]],
    'GET /v1/sessions': [
      [
        200,
        {
          sessions: [
            {
              peer: 'isp-a',
              state: 'established',
              interface: 'eth0',
              local: '192.0.2.10',
              remote: '192.0.2.1:4646'
            },
            {
              peer: 'a-provider-with-a-rather-long-name/east',
              state: 'pausing',
              text: `no answer; ${'again and '.repeat(12)}`
            }
          ]
        }
      ]
    ],
    'GET /v1/protections': [[200, { protections: [granted, asking] }]],
    'GET /v1/counters': [[200, { counters: { coap_datagrams_malformed_total: 3 } }]]
  }

  it('of a client fits 80 columns, whatever the names', async () => {
    const { socket } = await withAgent(client)
    const { code, stdout } = await dots(['status', '--socket', socket, '--counters'])
    expect(code).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(lines[0]).toBe('DOTS client 0.1.0, process 4711, up 2 h 2 min')
    expect(stdout).toContain('p-1: protected')
    expect(stdout).toContain('  missing: isp-b: there is no session')
    expect(stdout).toContain('coap_datagrams_malformed_total 3')
  })

  it('finds the agent by DOTS_SOCKET, and prints one JSON object with --json', async () => {
    const { socket } = await withAgent(client)
    const { code, stdout } = await dots(['status', '--json'], { DOTS_SOCKET: socket })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ agent: { role: 'client' }, protections: [{ id: 'p-1' }, {}] })
  })

  it('of a server shows its mitigations, and makes control characters harmless', async () => {
    const { socket } = await withAgent({
      'GET /v1/agent': [[200, { ...about, role: 'server', listen: ['192.0.2.1:4646'] }]],
      'GET /v1/sessions': [[200, { sessions: [] }]],
      'GET /v1/mitigations': [
        [
          200,
          {
            mitigations: [
              {
                client: 'ho\u001b[2Jme',
                cuid: 'c',
                mitigationId: 12,
                state: 'active',
                status: 's',
                target,
                remainingLifetimeSeconds: -1,
                droppedPackets: '1234567'
              }
            ]
          }
        ]
      ]
    })
    const { stdout } = await dots(['status', '--socket', socket])
    expect(stdout.trimEnd().split('\n')).toEqual([
      'DOTS server 0.1.0, process 4711, up 2 h 2 min, listens on 192.0.2.1:4646',
      'no sessions with any client',
      'CLIENT    ID  STATE   LEFT        DROPPED    TARGET',
      'ho?[2Jme  12  active  indefinite  1,234,567  203.0.113.7/32 udp 80'
    ])
  })

  it('ends with 4 when there is no agent, as text and as JSON', async () => {
    const text = await dots(['status', '--socket', '/nowhere/agent.sock'])
    expect([text.code, text.stdout]).toEqual([4, ''])
    expect(text.stderr).toBe('dots: no agent at /nowhere/agent.sock: there is no such socket\n')
    const json = await dots(['status', '--json', '--socket', '/nowhere/agent.sock'])
    expect([json.code, json.stderr]).toEqual([4, ''])
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: { family: 'UnavailableError', code: 'CONTROL_AGENT_UNREACHABLE' }
    })
  })

  it('ends with 1 when what listens there is no agent', async () => {
    const { socket } = await withAgent({ 'GET /v1/agent': [[200, '<html>']] })
    const { code, stderr } = await dots(['status', '--socket', socket])
    expect(code).toBe(1)
    expect(stderr).toContain('not JSON')
  })
})

describe('dots release', () => {
  it('--wait ends when the servers have let go', async () => {
    const { socket, asked } = await withAgent({
      'DELETE /v1/protections/p-1': [[200, protection(3, 'ending', {})]],
      'GET /v1/protections/p-1': [
        [200, protection(3, 'ending', {})],
        [200, protection(4, 'ended', {})]
      ]
    })
    const { code, stdout } = await dots(['release', 'p-1', '--wait', '--json', '--socket', socket])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ protection: { state: 'ended' } })
    expect(asked[0]?.method).toBe('DELETE')
  })

  it('ends with 3 when there is no such protection', async () => {
    const error = {
      family: 'RejectedError',
      code: 'CONTROL_PROTECTION_UNKNOWN',
      message: 'there is no protection p-9'
    }
    const { socket } = await withAgent({ 'DELETE /v1/protections/p-9': [[404, { error }]] })
    const { code, stderr } = await dots(['release', 'p-9', '--socket', socket])
    expect([code, stderr]).toEqual([3, 'dots: there is no protection p-9\n'])
  })
})

describe('dots efficacy', () => {
  it('tells the agent what is seen of the attack', async () => {
    const { socket, asked } = await withAgent({
      'POST /v1/protections/p-1/efficacy': [[200, protection(3, 'protected', {})]]
    })
    const { code, stdout } = await dots(['efficacy', 'p-1', 'under-attack', '--json', '--socket', socket])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ protection: { id: 'p-1' } })
    expect(asked[0]).toMatchObject({ method: 'POST', url: '/v1/protections/p-1/efficacy' })
  })

  it('knows two words for it', async () => {
    const { code, stderr } = await dots(['efficacy', 'p-1', 'fine', '--socket', '/nowhere/agent.sock'])
    expect([code, stderr]).toEqual([2, 'dots: "fine" is neither "under-attack" nor "mitigated"\n'])
  })
})

describe('the command itself', () => {
  it('prints its version, which is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect((await dots(['--version'])).stdout).toBe(`${version}\n`)
  })

  it('ends with 2 and its help when nothing is asked of it, and with 0 when the help is', async () => {
    const nothing = await dots([])
    expect([nothing.code, nothing.stdout]).toEqual([2, ''])
    expect(nothing.stderr).toContain('Usage: dots')
    const help = await dots(['protect', '--help'])
    expect([help.code, help.stderr]).toEqual([0, ''])
    expect(help.stdout).toContain('--lifetime <time>')
  })

  it('runs from any Node: one that is too old looks for the one that came with the packages', async () => {
    // Debian 12 has Node 20 there.
    const node = existsSync('/usr/bin/node') ? '/usr/bin/node' : process.execPath
    const { code, stdout } = await dots(['--version'], {}, node)
    expect([code, stdout]).toEqual([0, '0.1.0\n'])
  })
})
