import {
  ConfigError,
  DecodeError,
  InternalError,
  ProtocolError,
  RejectedError,
  UnavailableError
} from '@breakwater/core'
import { describe, expect, it } from 'vitest'
import { ControlClient, outcomeOf, watchProtection } from '../src/index.ts'
import type { ControlTransport, ProtectionView } from '../src/index.ts'

type Call = Parameters<ControlTransport>[0]

/** An agent that gives prepared answers and remembers what it was asked. */
function scripted(...answers: (readonly [status: number, body: unknown])[]): {
  readonly client: ControlClient
  readonly calls: Call[]
} {
  const calls: Call[] = []
  const client = new ControlClient((call) => {
    calls.push(call)
    const [status, body] = answers.shift() ?? [500, 'nothing left to say']
    return Promise.resolve({ status, text: typeof body === 'string' ? body : JSON.stringify(body) })
  })
  return { client, calls }
}

function protection(revision: number, state: ProtectionView['state']): ProtectionView {
  return {
    id: 'p-1',
    revision,
    state,
    target: { prefixes: ['203.0.113.7/32'], ports: [], protocols: [] },
    requests: [],
    missing: []
  }
}

describe('the control client', () => {
  it('sends a protection as JSON and gives back the answer', async () => {
    const answer = { accepted: true, protection: protection(0, 'asking') }
    const { client, calls } = scripted([201, answer])
    expect(await client.protect({ prefixes: ['203.0.113.7/32'] })).toEqual(answer)
    expect(calls).toEqual([
      { method: 'POST', path: '/v1/protections', body: '{"prefixes":["203.0.113.7/32"]}' }
    ])
  })

  it('escapes what stands in a path', async () => {
    const { client, calls } = scripted([200, protection(1, 'ending')])
    await client.release('a/../b?c')
    expect(calls[0]?.path).toBe('/v1/protections/a%2F..%2Fb%3Fc')
  })

  it('writes waiting times so that any agent can read them', async () => {
    const { client, calls } = scripted([200, protection(1, 'asking')])
    await client.protection('p-1', { revision: 7, waitSeconds: 1 / 3 })
    expect(calls[0]?.path).toBe('/v1/protections/p-1?afterRevision=7&waitSeconds=0.333')
  })

  it('asks for everything else where the contract says', async () => {
    const { client, calls } = scripted(
      [200, { role: 'client', version: '1', pid: 1, uptimeSeconds: 1, listen: [] }],
      [200, { verdict: 'refused', parts: [], refusals: [], uncovered: [], waiting: [], translated: [] }],
      [200, { protections: [] }],
      [200, { sessions: [] }],
      [200, { mitigations: [] }],
      [200, { counters: { a: 1 } }]
    )
    await client.agent()
    await client.plan({ prefixes: ['192.0.2.1/32'] })
    expect(await client.protections()).toEqual([])
    expect(await client.sessions()).toEqual([])
    expect(await client.mitigations()).toEqual([])
    expect(await client.counters()).toEqual({ a: 1 })
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v1/agent',
      'POST /v1/plan',
      'GET /v1/protections',
      'GET /v1/sessions',
      'GET /v1/mitigations',
      'GET /v1/counters'
    ])
  })

  it.each([
    ['DecodeError', DecodeError],
    ['ProtocolError', ProtocolError],
    ['RejectedError', RejectedError],
    ['UnavailableError', UnavailableError],
    ['ConfigError', ConfigError],
    ['InternalError', InternalError],
    ['NobodyKnows', RejectedError]
  ])('rejects with the family that the agent reported: %s', async (family, expected) => {
    const { client } = scripted([409, { error: { family, code: 'SOME_CODE', message: 'because' } }])
    const error: unknown = await client.sessions().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(expected)
    expect(error).toMatchObject({ code: 'SOME_CODE', message: 'because' })
  })

  it.each([
    ['no JSON', 200, '<html>'],
    ['another object', 200, {}],
    ['no object', 200, 7],
    ['null', 200, null],
    ['a failure without a reason', 502, {}],
    ['a failure that is no object', 502, null]
  ])('refuses an answer that is %s', async (_, status, body) => {
    const { client } = scripted([status, body])
    const error: unknown = await client.agent().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(DecodeError)
    expect(error).toMatchObject({ code: 'CONTROL_ANSWER_INVALID' })
  })
})

describe('watching a protection', () => {
  it('yields every change once, and asks for what comes after the last one', async () => {
    const { client, calls } = scripted(
      [200, protection(1, 'asking')],
      [200, protection(1, 'asking')],
      [200, protection(3, 'protected')]
    )
    const seen: string[] = []
    let time = 60
    for await (const view of watchProtection(client, 'p-1', () => (time -= 10))) {
      seen.push(view.state)
      if (outcomeOf(view) === 'good') break
    }
    expect(seen).toEqual(['asking', 'protected'])
    expect(calls.map(({ path }) => path)).toEqual([
      '/v1/protections/p-1',
      '/v1/protections/p-1?afterRevision=1&waitSeconds=20.000',
      '/v1/protections/p-1?afterRevision=1&waitSeconds=20.000'
    ])
  })

  it('ends when time is up', async () => {
    const { client, calls } = scripted([200, protection(1, 'waiting')])
    const seen: string[] = []
    for await (const view of watchProtection(client, 'p-1', () => 0)) seen.push(view.state)
    expect(seen).toEqual(['waiting'])
    expect(calls).toHaveLength(1)
  })
})

describe('what a protection has come to', () => {
  it.each([
    ['protected', ['in-force'], 'good'],
    ['asking', ['asking'], 'open'],
    ['waiting', ['waiting'], 'open'],
    ['planned', ['planned'], 'open'],
    ['refused', ['refused'], 'bad'],
    ['ending', ['ending'], 'open'],
    ['ended', ['ended'], 'bad'],
    // A domain without a server is missing, and no server can be blamed.
    ['partly-protected', ['in-force', 'in-force'], 'good'],
    ['partly-protected', ['in-force', 'refused'], 'bad'],
    ['partly-protected', ['in-force', 'conflict'], 'bad'],
    ['partly-protected', ['in-force', 'refused', 'asking'], 'open'],
    ['partly-protected', ['in-force', 'waiting'], 'open']
  ] as const)('%s with servers %j is %s', (state, states, outcome) => {
    const requests = states.map((each) => ({ server: 's', domain: 'd', prefixes: [], text: '', state: each }))
    expect(outcomeOf({ ...protection(1, state), requests })).toBe(outcome)
  })
})
