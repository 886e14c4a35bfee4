import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestAuthority } from '../packages/dtls/test/pki.ts'
import { handshakeByCertificate } from './dtls/certificate-forger.ts'
import { EngineWorld, unthrottled } from './dtls/engine-world.ts'
import { impostors } from './dtls/impostors.ts'
import { strangersOverDtls } from './dtls/strangers.ts'

let authority: TestAuthority
beforeAll(() => {
  authority = new TestAuthority('Breakwater test CA')
})
afterAll(() => authority.remove())

for (const family of [strangersOverDtls, impostors])
  describe(family.title, () => {
    for (const { name, answer, trace, run } of family.attacks)
      it(`${name}: ${answer}`, async () => {
        const world = new EngineWorld(authority, unthrottled)
        await run(world)
        // What fell silent in the middle of a handshake fails by its timeout.
        world.outwait()
        if ('counter' in trace) expect(world.counted(trace.counter), trace.counter).toBeGreaterThan(0)
        world.expectServiceAsBefore()
      })
  })

it('the client of our own that forges certificates is let in when it forges nothing', () => {
  const world = new EngineWorld(authority)
  const own = authority.issue('client.example')
  handshakeByCertificate(world, { shown: own, signer: own })
  expect(world.takeSessions()).toBe(1)
})
