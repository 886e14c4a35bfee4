import { Code, OptionNumber, uintOption } from '@breakwater/coap'
import { Milliseconds, Seconds, ipv4, prefixOf } from '@breakwater/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isInForce } from '../../src/client/requests/request-state.ts'
import type { LastingWant } from '../../src/client/requests/lasting-want.ts'
import type { Target } from '../../src/domain/target.ts'
import { coversTarget } from '../../src/multihoming/compiler.ts'
import { targetsOverlap } from '../../src/multihoming/overlap.ts'
import { parseTarget } from '../../src/signal/mapper.ts'
import { ScriptedServer, want } from './scripted-server.ts'
import type { Heard } from './scripted-server.ts'

/** A server that does what RFC 9132 §4.4.1.3 says, and answers only sometimes. */
class OverlapServer {
  readonly standing = new Map<number, Target>()

  /** @returns the code of the answer. */
  serve(request: Heard): number {
    const mid = request.mitigationId ?? 0
    if (request.text.startsWith('DELETE')) {
      this.standing.delete(mid)
      return Code.deleted
    }
    if (request.text.startsWith('GET')) return this.standing.has(mid) ? Code.content : Code.notFound
    const asked = parseTarget(request.scope[0] ?? {})
    if (!asked.ok) return Code.badRequest
    const known = this.standing.has(mid)
    const overlapping = [...this.standing].filter(([, target]) => targetsOverlap(target, asked.value))
    if (overlapping.some(([other]) => other > mid)) return Code.conflict
    for (const [other] of overlapping) this.standing.delete(other)
    this.standing.set(mid, asked.value)
    return known ? Code.changed : Code.created
  }
}

/** RFC 7252 §5.9.3.4: Max-Age says when to come again. */
const SOON = [uintOption(OptionNumber.maxAge, 5)]

const smallPrefix = fc
  .tuple(fc.integer({ min: 0, max: 0x3f }), fc.integer({ min: 26, max: 32 }))
  .map(([low, length]) => prefixOf(ipv4(0xc6336400 + low), length))
const randomTarget: fc.Arbitrary<Target> = fc.record({
  prefixes: fc.array(smallPrefix, { minLength: 1, maxLength: 2 }),
  ports: fc.constantFrom([], [{ lower: 80, upper: 80 }], [{ lower: 53, upper: 90 }]),
  protocols: fc.constantFrom([], [6])
})
const step = fc.record({
  slot: fc.integer({ min: 0, max: 5 }),
  asked: fc.option(randomTarget, { nil: undefined }),
  /** What becomes of the next requests: heard or lost, and answered or not. */
  fate: fc.array(fc.constantFrom('answered', 'answered', 'unanswered', 'lost', 'busy'), {
    minLength: 4,
    maxLength: 4
  }),
  waitMilliseconds: fc.constantFrom(0, 30, 3500),
  /** The session is lost and comes back. */
  breaks: fc.constantFrom(false, false, false, true)
})

describe('whatever is asked, released, lost and left without an answer', () => {
  it(
    'no message of ours takes away what a live protection has at the server, and in the end all is as wanted',
    { timeout: 60_000 },
    () => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 12, maxLength: 12 }), (steps) => {
          const script = new ScriptedServer()
          const atServer = new OverlapServer()
          const live = new Map<number, LastingWant>()
          /** Wants that the client has called protected; a request that covers one by chance promises nothing. */
          const settled = new Set<LastingWant>()
          let served = 0
          const serve = (fates: readonly string[]): void => {
            for (let index = 0; served < script.heard.length; index++) {
              const request = script.heard[served++]!
              const fate = fates[index] ?? 'answered'
              if (request.mitigationId === undefined || fate === 'lost') continue
              if (fate === 'busy') {
                script.answer(request, Code.serviceUnavailable, undefined, SOON)
                continue
              }
              const before = [...live.values()].filter(
                (each) => settled.has(each) && isProtected(atServer, each)
              )
              const code = atServer.serve(request)
              for (const each of before) expect(isProtected(atServer, each)).toBe(true)
              if (fate === 'unanswered') continue
              const isKnown = code !== Code.deleted && code < Code.badRequest
              script.answer(
                request,
                code,
                isKnown ? { mid: request.mitigationId, lifetime: 36_000 } : undefined
              )
              for (const each of live.values()) if (isClaimed(script, each)) settled.add(each)
            }
          }
          script.connect()
          served = script.heard.length
          for (const { slot, asked, fate, waitMilliseconds, breaks } of steps) {
            if (asked === undefined) live.delete(slot)
            else live.set(slot, want(`p${slot}`, asked, 36_000))
            script.want(...live.values())
            serve(fate)
            script.pass(Milliseconds(waitMilliseconds))
            serve(fate)
            if (!breaks) continue
            script.feed({ kind: 'closed', connection: script.connection, reason: 'alert' })
            script.pass(Seconds(61))
            script.feed({ kind: 'established', connection: script.connection })
          }
          for (let round = 0; round < 40; round++) {
            script.pass(Milliseconds(3000))
            serve([])
          }
          for (const each of live.values()) expect(isProtected(atServer, each)).toBe(true)
          expect(script.association.requests.every((request) => isInForce(request.state))).toBe(true)
          expect(new Set(atServer.standing.keys())).toEqual(
            new Set(script.association.requests.map((request) => request.mitigationId as number))
          )
        }),
        { numRuns: 150 }
      )
    }
  )
})

/** Whether the client says that this is protected. */
function isClaimed(script: ScriptedServer, each: LastingWant): boolean {
  const inForce = script.association.requests.filter((request) => {
    return isInForce(request.state) && request.replacedBy === undefined
  })
  return coversTarget(
    inForce.map((request) => request.target),
    each.target
  )
}

function isProtected(server: OverlapServer, each: LastingWant): boolean {
  return coversTarget([...server.standing.values()], each.target)
}
