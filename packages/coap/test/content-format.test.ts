import { describe, expect, test } from 'vitest'
import { ContentFormat, formatContentFormat } from '../src/index.ts'

describe('the content format registry', () => {
  // RFC 7252 table 9, RFC 8132 §6, RFC 8949 §9.4, RFC 9132 §10.3, RFC 9177 §12.3.
  test.each([
    [ContentFormat.textPlain, 0, 'text/plain; charset=utf-8'],
    [ContentFormat.linkFormat, 40, 'application/link-format'],
    [ContentFormat.xml, 41, 'application/xml'],
    [ContentFormat.octetStream, 42, 'application/octet-stream'],
    [ContentFormat.exi, 47, 'application/exi'],
    [ContentFormat.json, 50, 'application/json'],
    [ContentFormat.jsonPatch, 51, 'application/json-patch+json'],
    [ContentFormat.mergePatch, 52, 'application/merge-patch+json'],
    [ContentFormat.cbor, 60, 'application/cbor'],
    [ContentFormat.dotsCbor, 271, 'application/dots+cbor'],
    [ContentFormat.missingBlocks, 272, 'application/missing-blocks+cbor-seq']
  ])('%i is %i, %s', (number, expected, name) => {
    expect(number).toBe(expected)
    expect(formatContentFormat(number)).toBe(name)
  })

  test('has a way to write what it does not know', () => {
    expect(formatContentFormat(9999)).toBe('content format 9999')
  })
})
