import { secureEndpointContract } from '@breakwater/testing'
import { afterAll } from 'vitest'
import { DtlsWorld } from './dtls-world.ts'
import { Credentials } from './loopback-parties.ts'
import { TestAuthority } from './pki.ts'

const trusted = new TestAuthority('Breakwater test CA')
const other = new TestAuthority('Somebody else')
const credentials = new Credentials(trusted, other)
afterAll(() => {
  trusted.remove()
  other.remove()
})

secureEndpointContract('DTLS on loopback', () => Promise.resolve(new DtlsWorld(credentials)))
