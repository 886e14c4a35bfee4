import { Code, OptionNumber, findOption, uintOption } from '@breakwater/coap'
import type { CoapOption } from '@breakwater/coap'
import { Milliseconds, Minutes, Seconds } from '@breakwater/core'
import { decodeSignal, encodeSignal } from '@breakwater/model'
import type { SignalConfig } from '@breakwater/model'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SESSION_PARAMETERS, sessionConfigurationBody } from '../../packages/dots/src/index.ts'
import type { SessionConfiguration, WantedConfiguration } from '../../packages/dots/src/index.ts'
import { MINUTE, ScriptedServer, want } from '../../packages/dots/test/client/scripted-server.ts'
import type { Heard } from '../../packages/dots/test/client/scripted-server.ts'
import { target } from '../../packages/dots/test/multihoming/sites.ts'

const CONFIG = '/.well-known/dots/config'
const DAY = 86_400

const defaults: SessionConfiguration = {
  mitigating: DEFAULT_SESSION_PARAMETERS,
  idle: DEFAULT_SESSION_PARAMETERS
}

const wanted: SessionConfiguration = {
  mitigating: { ...DEFAULT_SESSION_PARAMETERS, heartbeatIntervalSeconds: 15, probingRateBytesPerSecond: 12 },
  idle: { ...DEFAULT_SESSION_PARAMETERS, heartbeatIntervalSeconds: 120 }
}

/** A server whose configuration is in the hands of the test; all its answers say how long they are valid. */
class ConfigurableServer extends ScriptedServer {
  readonly #taken = new Set<Heard>()
  #notifications = 0

  constructor(configuration: WantedConfiguration = wanted) {
    super({}, configuration)
    this.connect()
  }

  /** Retransmissions of a Confirmable request are the same request. */
  override requests(text: string): Heard[] {
    const seen = new Set<number>()
    return super.requests(text).filter(({ message: { type, messageId } }) => {
      if (type === 'confirmable' && seen.has(messageId)) return false
      seen.add(messageId)
      return true
    })
  }

  /** The next request that begins like this; undefined: none comes. */
  next(text: string): Heard | undefined {
    for (let tries = 0; tries < 200; tries++) {
      const found = this.requests(text).find((each) => !this.#taken.has(each))
      if (found !== undefined) {
        this.#taken.add(found)
        return found
      }
      this.pass(Milliseconds(50))
    }
    return undefined
  }

  question(): Heard {
    return this.next(`GET ${CONFIG}`)!
  }

  proposal(): Heard {
    return this.next(`PUT ${CONFIG}`)!
  }

  tell(request: Heard, configuration: SessionConfiguration, maxAge = DAY): void {
    this.reply(request, Code.content, encodeSignal(sessionConfigurationBody(configuration)), [
      uintOption(OptionNumber.observe, ++this.#notifications),
      uintOption(OptionNumber.contentFormat, 271),
      uintOption(OptionNumber.maxAge, maxAge)
    ])
  }

  /** Has the client agree with what it wants. @returns the proposal and the question that follows it. */
  agree(maxAge = DAY): readonly [proposal: Heard, observation: Heard] {
    this.tell(this.question(), defaults)
    const proposal = this.proposal()
    this.answer(proposal, Code.created)
    const observation = this.question()
    this.tell(observation, wanted, maxAge)
    return [proposal, observation]
  }

  heartbeats(): Heard[] {
    return this.requests('PUT /.well-known/dots/hb')
  }
}

function proposalOf(put: Heard): SignalConfig {
  return decodeSignal(put.message.payload).signalConfig ?? {}
}

function sidOf({ text }: Heard): number {
  return Number(/sid=(\d+)$/.exec(text)?.[1])
}

function observes(options: readonly CoapOption[]): boolean {
  return findOption(options, OptionNumber.observe)?.value.length === 0
}

describe('RFC 9132 §4.5: the session configuration of a client', () => {
  it('begins with a question for what is in force and acceptable, Confirmable and observed (Figure 18) [RFC9132-4.4.2.1-M01]', () => {
    const server = new ConfigurableServer()
    const question = server.question()
    expect(question.text).toBe(`GET ${CONFIG}`)
    expect(question.message.type).toBe('confirmable')
    expect(observes(question.message.options)).toBe(true)
  })

  it('proposes what is wanted under a sid of its own, without a cuid (Figure 23) [RFC9132-4.5.2-M02] [RFC9132-4.5.2-M04]', () => {
    const server = new ConfigurableServer()
    server.tell(server.question(), defaults)
    const put = server.proposal()
    expect(put.text).toMatch(/^PUT \/\.well-known\/dots\/config\/sid=\d+$/)
    expect(put.message.type).toBe('confirmable')
    const { mitigatingConfig, idleConfig } = proposalOf(put)
    expect(mitigatingConfig?.heartbeatInterval).toEqual({ currentValue: 15 })
    expect(mitigatingConfig?.probingRate).toEqual({ currentValue: 12 })
    expect(idleConfig?.heartbeatInterval).toEqual({ currentValue: 120 })
  })

  it('stays within what the server finds acceptable', () => {
    const server = new ConfigurableServer()
    const offer = sessionConfigurationBody(defaults)
    const narrow = { minValue: 20, maxValue: 60, currentValue: 30 }
    const { mitigatingConfig, idleConfig } = offer.signalConfig ?? {}
    const body = {
      signalConfig: {
        mitigatingConfig: { ...mitigatingConfig, heartbeatInterval: narrow },
        idleConfig: { ...idleConfig, heartbeatInterval: narrow }
      }
    }
    const format = uintOption(OptionNumber.contentFormat, 271)
    server.reply(server.question(), Code.content, encodeSignal(body), [format])
    const proposal = proposalOf(server.proposal())
    expect(proposal.mitigatingConfig?.heartbeatInterval).toEqual({ currentValue: 20 })
    expect(proposal.idleConfig?.heartbeatInterval).toEqual({ currentValue: 60 })
  })

  it('goes by the defaults until it is agreed, and then by what was negotiated [RFC9132-4.5.2-M01]', () => {
    const server = new ConfigurableServer()
    server.pass(Seconds(31))
    expect(server.heartbeats()).toHaveLength(1)
    server.agree()
    const before = server.heartbeats().length
    server.pass(Minutes(10))
    expect(server.heartbeats().length - before).toBeLessThanOrEqual(5)
    expect(server.heartbeats().length - before).toBeGreaterThanOrEqual(4)
  })

  it('switches to the other set by itself when a mitigation becomes active, and back [RFC9132-4.5-M01] [RFC9132-4.5-M02]', () => {
    const server = new ConfigurableServer()
    server.agree()
    server.want(want('web', target('198.51.100.7/32')))
    server.pass(Seconds(4))
    server.grant(36_000)
    const before = server.heartbeats().length
    server.pass(Minutes(2))
    const during = server.heartbeats().length
    expect(during - before).toBeGreaterThanOrEqual(6)
    server.want()
    server.pass(Seconds(4))
    server.answer(server.last('DELETE'), Code.deleted)
    server.pass(Minutes(2))
    expect(server.heartbeats().length - during).toBeLessThanOrEqual(2)
  })

  it('asks again for what is acceptable when its values are not, and no more than twice [RFC9132-4.5.2-S05]', () => {
    const server = new ConfigurableServer()
    for (let round = 1; round <= 3; round++) {
      server.tell(server.question(), defaults)
      server.answer(server.proposal(), Code.unprocessableEntity)
    }
    server.tell(server.question(), defaults)
    expect(server.next(`PUT ${CONFIG}`)).toBeUndefined()
  })

  it('numbers its proposals upwards [RFC9132-4.5.2-M03]', () => {
    const server = new ConfigurableServer()
    const sids = [1, 2, 3].map(() => {
      server.tell(server.question(), defaults)
      const proposal = server.proposal()
      server.answer(proposal, Code.unprocessableEntity)
      return sidOf(proposal)
    })
    expect(sids).toEqual([...new Set(sids)].toSorted((a, b) => a - b))
  })

  it('is refreshed with its sid before its Max-Age is over [RFC9132-4.5.3-M01]', () => {
    const server = new ConfigurableServer()
    const [put] = server.agree(600)
    const before = server.requests(`GET ${CONFIG}`).length
    server.pass(Seconds(400))
    expect(server.requests(`GET ${CONFIG}`)).toHaveLength(before)
    server.pass(Seconds(190))
    const refreshes = server.requests(`GET ${CONFIG}`).slice(before)
    expect(refreshes.length).toBeGreaterThan(0)
    expect(refreshes[0]?.text).toBe(`GET ${CONFIG}/sid=${sidOf(put)}`)
  })

  it('is not refreshed while an attack is on, and at once when it is over [RFC9132-4.5.3-M02]', () => {
    const server = new ConfigurableServer()
    server.agree(600)
    server.want(want('web', target('198.51.100.7/32')))
    server.pass(Seconds(4))
    server.grant(36_000)
    const before = server.requests(`GET ${CONFIG}`).length
    server.pass(Minutes(30))
    expect(server.requests(`GET ${CONFIG}`)).toHaveLength(before)
    server.want()
    server.pass(Seconds(4))
    server.answer(server.last('DELETE'), Code.deleted)
    server.pass(MINUTE)
    expect(server.requests(`GET ${CONFIG}/sid=`).length).toBeGreaterThan(1)
    expect(server.requests(`GET ${CONFIG}`).length).toBeGreaterThan(before)
  })

  it('is not asked for without end of a server that says yes and takes note of nothing', () => {
    const server = new ConfigurableServer()
    for (let times = 0; times < 20; times++) {
      const question = server.next(`GET ${CONFIG}`)
      if (question === undefined) break
      if (question.text === `GET ${CONFIG}`) server.tell(question, defaults)
      else server.answer(question, Code.notFound)
      const proposal = server.next(`PUT ${CONFIG}`)
      if (proposal !== undefined) server.answer(proposal, Code.created)
    }
    expect(server.requests(`PUT ${CONFIG}`)).toHaveLength(3)
    expect(server.next(`GET ${CONFIG}`)).toBeUndefined()
  })

  it('follows the notifications of the server', () => {
    const server = new ConfigurableServer()
    const [, observation] = server.agree()
    const frequent = { ...DEFAULT_SESSION_PARAMETERS, heartbeatIntervalSeconds: 20 }
    server.tell(observation, { mitigating: frequent, idle: frequent })
    const before = server.heartbeats().length
    server.pass(Minutes(2))
    expect(server.heartbeats().length - before).toBeGreaterThanOrEqual(5)
  })

  it('goes back to the defaults by a DELETE without a sid (Figure 24) [RFC9132-4.5.4-O01]', () => {
    const server = new ConfigurableServer('defaults')
    const deletion = server.next('DELETE')!
    expect(deletion.text).toBe(`DELETE ${CONFIG}`)
    server.answer(deletion, Code.deleted)
    server.tell(server.question(), defaults)
    expect(server.next(`PUT ${CONFIG}`)).toBeUndefined()
  })

  it('does without where the server has no such resource', () => {
    const server = new ConfigurableServer()
    server.answer(server.question(), Code.notFound)
    server.pass(Minutes(10))
    expect(server.requests(`GET ${CONFIG}`)).toHaveLength(1)
    expect(server.heartbeats().length).toBeGreaterThanOrEqual(15)
  })
})

const unsafe = (change: Partial<SessionConfiguration['idle']>): SessionConfiguration => {
  const set = { ...DEFAULT_SESSION_PARAMETERS, ...change }
  return { mitigating: set, idle: set }
}

describe('RFC 9132 §4.5.2: values that RFC 7252 §4.8.1 forbids', () => {
  it.each([
    [{ ackTimeoutSeconds: 0.1 }, 'ack-timeout 0.1 is not safe; 1 is used'],
    [{ ackTimeoutSeconds: 0 }, 'ack-timeout 0 is not safe; 1 is used'],
    [{ ackTimeoutSeconds: 100_000 }, 'ack-timeout 100000 is not safe; 30 is used'],
    [{ ackRandomFactor: 0.5 }, 'ack-random-factor 0.5 is not safe; 1.1 is used'],
    [{ maxRetransmit: 1000 }, 'max-retransmit 1000 is not safe; 15 is used'],
    [{ probingRateBytesPerSecond: 0 }, 'probing-rate 0 is not safe; 1 is used']
  ])('%j of a server are not followed, and told once [RFC9132-4.5.2-S04]', (change, text) => {
    const server = new ConfigurableServer('defaults')
    server.answer(server.next(`DELETE ${CONFIG}`)!, Code.deleted)
    const observation = server.question()
    server.tell(observation, unsafe(change), 100)
    server.tell(observation, unsafe(change), 100)
    const objections = server.outputs.filter(({ kind }) => kind === 'configuration-unsafe')
    expect(objections).toEqual([{ kind: 'configuration-unsafe', text: `${text} (RFC 7252 §4.8.1)` }])
    // The refresh of what was told is Confirmable, and stays without an answer.
    const before = server.heard.length
    server.pass(Minutes(5))
    const sent = server.heard.slice(before).filter(({ message }) => message.type === 'confirmable')
    const gaps = sent.slice(1).map(({ at }, index) => at - sent[index]!.at)
    expect(sent.length).toBeGreaterThan(2)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1000)
  })

  it('are not asked for, though the server would allow nothing else [RFC9132-4.5.2-S04]', () => {
    const server = new ConfigurableServer()
    const fast = { minValueDecimal: 0.01, maxValueDecimal: 0.5, currentValueDecimal: 0.1 }
    const body = {
      signalConfig: { mitigatingConfig: { ackTimeout: fast }, idleConfig: { ackTimeout: fast } }
    }
    server.reply(server.question(), Code.content, encodeSignal(body), [
      uintOption(OptionNumber.observe, 1),
      uintOption(OptionNumber.contentFormat, 271)
    ])
    const proposal = proposalOf(server.proposal())
    for (const set of [proposal.mitigatingConfig, proposal.idleConfig])
      expect(set?.ackTimeout?.currentValueDecimal).toBeGreaterThanOrEqual(1)
  })
})
