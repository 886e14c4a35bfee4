import { Milliseconds, UnavailableError, formatIpAddress } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import type { NameAnswer, Resolver } from '@breakwater/dots'
import { encode } from 'dns-packet'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { openPlainResolver } from '../../src/index.ts'
import type { DnsEvent, WayVerdict } from '../../src/index.ts'
import { ScriptedNameServer, oneAddress, responseTo } from './scripted-name-server.ts'
import type { Script } from './scripted-name-server.ts'

const TRUNCATED = 0x200
const SERVER_FAILURE = 2
const FORMAT_ERROR = 1

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function serverThat(script: Script): Promise<ScriptedNameServer> {
  const server = await ScriptedNameServer.start(script)
  closing.push(() => server.close())
  return server
}

const seen: DnsEvent[] = []
function resolverOver(
  servers: readonly ScriptedNameServer[],
  limit: Duration = Milliseconds(3000)
): Resolver {
  seen.length = 0
  const observe = (event: DnsEvent): void => void seen.push(event)
  const resolver = openPlainResolver({ servers: servers.map(({ way }) => way), timeLimit: limit, observe })
  closing.push(() => resolver.close())
  return resolver
}

function addressesOf(answer: NameAnswer): string[] {
  return answer.kind === 'addresses' ? answer.addresses.map((each) => formatIpAddress(each)) : []
}

describe('a plain resolver', () => {
  it('asks over TCP for what does not fit a datagram', async () => {
    const many = Array.from({ length: 100 }, (_, index) => `192.0.2.${index}`)
    const server = await serverThat((question, reply, { transport }) => {
      const [asked] = question.questions ?? []
      if (transport === 'udp') reply(responseTo(question, [], TRUNCATED))
      else if (asked?.type !== 'A') reply(responseTo(question))
      else {
        const records = many.map((data) => ({ type: 'A', name: asked.name, ttl: 60, data }) as const)
        reply(responseTo(question, records))
      }
    })
    const answer = await resolverOver([server]).resolve('many.example')
    // More than so many of one family are not looked at.
    expect(addressesOf(answer)).toEqual(many.slice(0, 32))
    expect(seen).toContain('asked-tcp')
  })

  it('takes no answer from anybody but whom it asked', async () => {
    const stranger = createSocket('udp4').bind(0, '127.0.0.1')
    await once(stranger, 'listening')
    const server = await serverThat((question, reply, { raw }) => {
      raw?.(encode(oneAddress(question, '203.0.113.66')), stranger)
      setTimeout(() => reply(oneAddress(question)), 50)
    })
    expect(addressesOf(await resolverOver([server]).resolve('a.example'))).toEqual(['192.0.2.1'])
    stranger.close()
  })

  it('goes on listening when somebody guesses wrong, and counts it', async () => {
    const server = await serverThat((question, reply, { raw }) => {
      reply({ ...oneAddress(question, '203.0.113.66'), id: ((question.id ?? 0) + 1) % 0x1_0000 })
      reply({ ...oneAddress(question, '203.0.113.66'), questions: [{ type: 'A', name: 'b.example' }] })
      raw?.(new Uint8Array([1, 2, 3]))
      reply(oneAddress(question))
    })
    expect(addressesOf(await resolverOver([server]).resolve('a.example'))).toEqual(['192.0.2.1'])
    expect(seen).toContain('stray')
    expect(seen).toContain('malformed')
  })

  it('asks the next server at once when one fails, and again those that failed later', async () => {
    const failing = await serverThat((question, reply, { index }) =>
      reply(index < 2 ? responseTo(question, [], SERVER_FAILURE) : oneAddress(question))
    )
    const good = await serverThat((question, reply) => reply(oneAddress(question)))
    const started = performance.now()
    expect(addressesOf(await resolverOver([failing, good]).resolve('a.example'))).toEqual(['192.0.2.1'])
    expect(performance.now() - started).toBeLessThan(900)
    expect(addressesOf(await resolverOver([failing]).resolve('a.example'))).toEqual(['192.0.2.1'])
  })

  it('asks again what was lost, without waiting for the limit', async () => {
    const server = await serverThat((question, reply, { index }) => {
      if (index >= 2) reply(oneAddress(question))
    })
    const resolver = resolverOver([server], Milliseconds(8000))
    expect(addressesOf(await resolver.resolve('a.example'))).toEqual(['192.0.2.1'])
  })

  it('gives up within its limit, and says what the servers said', async () => {
    const server = await serverThat((question, reply) => reply(responseTo(question, [], SERVER_FAILURE)))
    const failure = await resolverOver([server], Milliseconds(300))
      .resolve('a.example')
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(UnavailableError)
    expect(String(failure)).toContain('code 2')
    // One round in a pause: servers that refuse are not asked in a tight loop.
    expect(server.asked.length).toBeLessThanOrEqual(2 * 2)
    expect(seen).toContain('unanswered')
  })

  it('asks without extensions a server that knows none', async () => {
    const server = await serverThat((question, reply) =>
      reply(
        (question.additionals ?? []).length > 0
          ? responseTo(question, [], FORMAT_ERROR)
          : oneAddress(question)
      )
    )
    expect(addressesOf(await resolverOver([server]).resolve('a.example'))).toEqual(['192.0.2.1'])
  })

  it('has no server when none was given, and then nobody is asked: not those of the system', async () => {
    await expect(resolverOver([]).resolve('a.example')).rejects.toThrow(/nobody can be asked/)
  })

  it('takes so many names at a time, and refuses more', async () => {
    const server = await serverThat(() => undefined)
    const resolver = resolverOver([server], Milliseconds(200))
    const calls = Array.from({ length: 200 }, async (_, index) => {
      try {
        await resolver.resolve(`n${index}.example`)
        return ''
      } catch (error) {
        return String(error)
      }
    })
    const refused = (await Promise.all(calls)).filter((text) => text.includes('names are being asked'))
    expect(refused).toHaveLength(200 - 128)
  })

  describe('tells of the ways of its questions', () => {
    const told: string[] = []
    const judged = (servers: readonly ScriptedNameServer[], limit = Milliseconds(1000)): Resolver => {
      told.length = 0
      const names = new Map(servers.map(({ way }, index) => [way.address.port, index]))
      const resolver = openPlainResolver({
        servers: servers.map(({ way }) => way),
        timeLimit: limit,
        judge: (way, verdict: WayVerdict) => void told.push(`${names.get(way.address.port)} ${verdict}`)
      })
      closing.push(() => resolver.close())
      return resolver
    }

    it('that one was silent, and the next one answered', async () => {
      const silent = await serverThat(() => undefined)
      const good = await serverThat((question, reply) => reply(oneAddress(question)))
      await judged([silent, good]).resolve('a.example')
      await expect.poll(() => new Set(told)).toEqual(new Set(['0 silent', '1 answered']))
    })

    it('that it answered, also where the answer is that it failed', async () => {
      const failing = await serverThat((question, reply) => reply(responseTo(question, [], SERVER_FAILURE)))
      await expect(judged([failing]).resolve('a.example')).rejects.toBeInstanceOf(UnavailableError)
      expect(new Set(told)).toEqual(new Set(['0 answered']))
    })

    it('nothing where the resolver is closed meanwhile, or somebody refused at once', async () => {
      const silent = await serverThat(() => undefined)
      const resolver = judged([silent])
      const asking = resolver.resolve('a.example')
      await resolver.close()
      await expect(asking).rejects.toBeInstanceOf(UnavailableError)
      const gone = await ScriptedNameServer.start(() => undefined)
      const { way } = gone
      await gone.close()
      const refused = openPlainResolver({
        servers: [way],
        timeLimit: Milliseconds(300),
        judge: (_, verdict) => void told.push(verdict)
      })
      closing.push(() => refused.close())
      await expect(refused.resolve('a.example')).rejects.toBeInstanceOf(UnavailableError)
      expect(told).toEqual([])
    })
  })
})
