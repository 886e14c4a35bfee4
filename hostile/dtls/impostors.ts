import { expect } from 'vitest'
import type { Attack, Family } from '../attack.ts'
import { handshakeByCertificate } from './certificate-forger.ts'
import type { Proof } from './certificate-forger.ts'
import type { EngineWorld } from './engine-world.ts'
import { TestAuthority } from '../../packages/dtls/test/pki.ts'

function impostor(
  name: string,
  source: string,
  proof: (world: EngineWorld) => Proof,
  answer = 'alert, no session'
): Attack<EngineWorld> {
  return {
    name,
    who: 'stranger',
    after: 'the rights of a client whose certificate everybody can see',
    source,
    answer,
    trace: { counter: 'handshakesFailed' },
    run: (world) => {
      handshakeByCertificate(world, proof(world))
      expect(world.takeSessions()).toBe(0)
    }
  }
}

/** Whoever shows a certificate proves by nothing but CertificateVerify that it is his own (RFC 5246 §7.4.8). */
export const impostors: Family<EngineWorld> = {
  title: 'Impostors over DTLS',
  against: 'the DTLS engine of a server that asks for certificates',
  attacks: [
    impostor(
      'certificate without proof of possession',
      'pion CVE-2022-29222; werift-dtls',
      ({ authority }) => ({
        shown: authority.issue('client.example'),
        signer: undefined
      })
    ),
    impostor('no Certificate message', 'JSSE CVE-2020-2655', () => ({ shown: 'skip', signer: undefined })),
    impostor('empty list of certificates', 'RFC 5246 §7.4.6; RFC 9132 §7.1', () => ({
      shown: undefined,
      signer: undefined
    })),
    impostor('proof by another key', 'RFC 5246 §7.4.8', ({ authority }) => ({
      shown: authority.issue('client.example'),
      signer: authority.issue('mallory.example')
    })),
    impostor('certificate of one’s own authority', 'RFC 9132 §7.1; RFC 5280 §6', () => {
      const own = new TestAuthority('Mallory CA')
      try {
        const made = own.issue('client.example')
        return { shown: made, signer: made }
      } finally {
        own.remove()
      }
    }),
    {
      name: 'failure that poisons',
      who: 'stranger',
      after: 'no certificate handshake for anybody until a restart',
      source: 'Californium CVE-2020-27222',
      answer: 'alert for the one, a session for the next',
      trace: { counter: 'handshakesFailed' },
      run: (world) => {
        const shown = world.authority.issue('client.example')
        const other = world.authority.issue('mallory.example')
        const ways: readonly Proof[] = [
          { shown, signer: undefined },
          { shown: 'skip', signer: undefined },
          { shown: undefined, signer: undefined },
          { shown, signer: other }
        ]
        for (const way of ways) {
          handshakeByCertificate(world, way)
          expect(world.takeSessions()).toBe(0)
          expect(world.visitByCertificate(41_500)).toBe('established')
          world.server.take()
        }
      }
    }
  ]
}
