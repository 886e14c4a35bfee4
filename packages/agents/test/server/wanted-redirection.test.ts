import { describe, expect, it } from 'vitest'
import { redirectionOf } from '../../src/server/wanted-redirection.ts'

const known = new Set(['home', 'branch'])
const good = { server: 'alt.example', addresses: ['192.0.2.1', '2001:db8::1'], ttlSeconds: 60 }

describe('a redirection that an operator asks for', () => {
  it('is of everybody, or of clients that there are', () => {
    expect(redirectionOf(good, known)).toMatchObject({ server: 'alt.example', clients: 'all' })
    expect(redirectionOf({ ...good, clients: ['branch'] }, known).clients).toEqual(['branch'])
  })

  it.each([
    ['a server without a name', { server: '-' }, /is no name/],
    ['a name with a line break', { server: 'alt\n.example' }, /is no name/],
    ['a name with a NUL', { server: 'alt\0.example' }, /is no name/],
    ['what is no address', { addresses: ['192.0.2.256'] }, /is no IP address/],
    ['everybody', { addresses: ['255.255.255.255'] }, /no single host/],
    ['a group', { addresses: ['192.0.2.1', 'ff02::1'] }, /no single host/],
    ['nobody', { addresses: ['0.0.0.0'] }, /no single host/],
    ['a client that there is not', { clients: ['home', 'hom'] }, /no client has the name "hom"/]
  ])('is refused when it names %s', (_, wrong, says) => {
    expect(() => redirectionOf({ ...good, ...wrong }, known)).toThrow(says)
  })
})
