import { describe, expect, it } from 'vitest'
import { pskProblem, revocationListText } from '../src/index.ts'

const key = new Uint8Array(16)

describe('a pre-shared key', () => {
  it.each(['a', 'é'.repeat(64)])('may have the identity %j', (identity) => {
    expect(pskProblem(identity, key)).toBeUndefined()
  })

  it.each(['', 'a\0', 'é'.repeat(65), '\ud800'])('may not have the identity %j', (identity) => {
    expect(pskProblem(identity, key)).toBe('an identity has 1 to 128 bytes of UTF-8 and no NUL')
  })

  it.each([
    [15, 'the key of "site-1" has 15 bytes, not 16 to 64'],
    [16, undefined],
    [64, undefined],
    [65, 'the key of "site-1" has 65 bytes, not 16 to 64']
  ])('of %i bytes', (bytes, problem) => {
    expect(pskProblem('site-1', new Uint8Array(bytes))).toBe(problem)
  })
})

describe('revocation lists', () => {
  it('are one text', () => expect(revocationListText(['one', 'two'])).toBe('one\ntwo'))
  it('need not be there', () => expect(revocationListText(undefined)).toBeUndefined())
  it.each([[[]], [' '], [['', '\n']]])('are none in %j', (crl) => expect(revocationListText(crl)).toBe(''))
})
