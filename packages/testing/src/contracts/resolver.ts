import { Seconds, UnavailableError, formatIpAddress } from '@breakwater/core'
import type { Duration } from '@breakwater/core'
import type { NameAnswer, Resolver } from '@breakwater/dots'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/**
 * A name service that knows these names, and nothing else below `example`, for 300 seconds each:
 *
 * | name            | means                             |
 * |-----------------|-----------------------------------|
 * | `both.example`  | 192.0.2.1 and 2001:db8::1         |
 * | `four.example`  | 192.0.2.4                         |
 * | `alias.example` | an alias of `both.example`        |
 * | `empty.example` | is there, and has no address      |
 */
export interface ResolverWorld {
  /** Opens a resolver that asks this service. */
  open(timeLimit: Duration): Promise<Resolver>
  /** Opens one whose service never answers. */
  openDead(timeLimit: Duration): Promise<Resolver>
  /** Lets as much time pass as is needed for what is under way; where time does not pass by itself. */
  readonly pass?: (duration: Duration) => Promise<void>
  close(): Promise<void>
}

const LIMIT = Seconds(2)

/** The suite that every `Resolver` must pass. */
export function resolverContract(name: string, makeWorld: () => Promise<ResolverWorld>): void {
  describe(`resolver contract: ${name}`, () => {
    let world: ResolverWorld
    let resolver: Resolver
    beforeEach(async () => {
      world = await makeWorld()
      resolver = await world.open(LIMIT)
    })
    afterEach(async () => {
      await resolver.close()
      await world.close()
    })

    /** What becomes of a call, in a world where time may stand still. */
    async function outcome(call: Promise<NameAnswer>): Promise<NameAnswer | UnavailableError> {
      const settled = call.catch((error: unknown) => {
        if (error instanceof UnavailableError) return error
        throw error
      })
      await world.pass?.(LIMIT)
      return settled
    }

    it('answers with the addresses of both families, and how long they hold', async () => {
      const answer = await outcome(resolver.resolve('both.example'))
      expect(addressesOf(answer)).toEqual(['192.0.2.1', '2001:db8::1'])
      expect(ttlOf(answer)).toBeGreaterThan(0)
      expect(ttlOf(answer)).toBeLessThanOrEqual(300)
    })

    it('answers with one family where there is one', async () => {
      expect(addressesOf(await outcome(resolver.resolve('four.example')))).toEqual(['192.0.2.4'])
    })

    it('follows an alias', async () => {
      const answer = await outcome(resolver.resolve('alias.example'))
      expect(addressesOf(answer)).toEqual(['192.0.2.1', '2001:db8::1'])
    })

    it('tells a name without addresses from one that is not there', async () => {
      expect(await outcome(resolver.resolve('empty.example'))).toMatchObject({
        kind: 'addresses',
        addresses: []
      })
      expect(await outcome(resolver.resolve('missing.example'))).toMatchObject({
        kind: 'no-such-name',
        ttlSeconds: expect.any(Number) as number
      })
    })

    it('answers many questions at once, each its own', async () => {
      const names = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 'both' : 'four'))
      const calls = Promise.all(names.map((each) => resolver.resolve(`${each}.example`)))
      await world.pass?.(LIMIT)
      const answers = await calls
      expect(answers.map((answer) => addressesOf(answer).length)).toEqual(
        names.map((each) => (each === 'both' ? 2 : 1))
      )
    })

    it('gives up on a service that does not answer, within its limit', async () => {
      const dead = await world.openDead(Seconds(1))
      const result = await outcome(dead.resolve('both.example'))
      expect(result).toBeInstanceOf(UnavailableError)
      expect(result).toMatchObject({ retryable: true })
      await dead.close()
    }, 5000)

    it('leaves nobody waiting when it is closed', async () => {
      const dead = await world.openDead(Seconds(1))
      const call = outcome(dead.resolve('both.example'))
      await dead.close()
      expect(await call).toBeInstanceOf(UnavailableError)
    }, 5000)
  })
}

function addressesOf(answer: NameAnswer | UnavailableError): string[] {
  if (answer instanceof UnavailableError) throw answer
  if (answer.kind !== 'addresses') throw new Error(answer.kind)
  return answer.addresses.map((address) => formatIpAddress(address)).toSorted()
}

function ttlOf(answer: NameAnswer | UnavailableError): number {
  return 'ttlSeconds' in answer ? answer.ttlSeconds : 0
}
