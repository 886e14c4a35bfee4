import { toHex } from '@breakwater/core'
import { decode as decodeStrictly, encode as encodeWithCborg } from 'cborg'
import { Tag, cdeEncodeOptions, decode as decodeWithCbor2, encode as encodeWithCbor2 } from 'cbor2'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeSignal, signalStructure } from '../src/index.ts'
import type { Node } from '../src/index.ts'
import { fieldName } from '../src/yang/value.ts'
import { signalMessages } from './arbitrary.ts'
import { faultOf } from './fault.ts'

/**
 * Two other implementations of CBOR look at what ours writes and accepts. Where they differ from it, and why:
 * - both accept far deeper nesting, more items and longer messages: a server that strangers talk to needs limits;
 * - cborg lets texts pass that are not UTF-8, even in strict mode, where RFC 8949 §5.3.1 calls them invalid; it knows no
 *   strings of indefinite length, no tags and no unassigned simple values; its strict mode refuses integers and lengths
 *   longer than they need to be, which RFC 8949 §4.1 leaves to the protocol;
 * - cbor2 looks into the content of the tags that it knows (a date of tag 0 must be a text); under a key that is passed
 *   over, a tag's content is nobody's business.
 */

/** The generic CBOR tree that a message stands for; `tagged` makes what a library knows as a tagged item. */
function tree(node: Node, value: unknown, tagged: (tag: number, content: unknown) => unknown): unknown {
  switch (node.kind) {
    case 'container': {
      const fields = value as Readonly<Record<string, unknown>>
      const pairs = Object.entries(node.members)
        .filter(([name]) => fields[fieldName(name)] !== undefined)
        .map(([name, member]) => [member.key, tree(member.node, fields[fieldName(name)], tagged)] as const)
      return new Map(pairs)
    }
    case 'list':
      return (value as readonly unknown[]).map((entry) => tree(node.entry, entry, tagged))
    case 'leaf-list':
      return (value as readonly unknown[]).map((entry) => tree(node.of, entry, tagged))
    case 'decimal64':
      return tagged(4, [-2, Math.round(Number(value) * 100)])
    case 'uint64':
      return Number(value) === Number(BigInt.asUintN(53, value as bigint)) ? Number(value) : value
    case 'integer':
    case 'boolean':
    case 'enumeration':
    case 'text':
      break
  }
  return value
}

test('cbor2 writes every message byte for byte as we do, in Common Deterministic Encoding', () => {
  fc.assert(
    fc.property(signalMessages(), (message) => {
      const theirs = tree(signalStructure.node, message, (tag, content) => new Tag(tag, content))
      expect(encodeSignal(message)).toEqual(Uint8Array.from(encodeWithCbor2(theirs, cdeEncodeOptions)))
    }),
    { numRuns: 100 }
  )
}, 60_000)

test('cborg, strict, reads every message as the tree that it stands for', () => {
  fc.assert(
    fc.property(signalMessages(), (message) => {
      const read: unknown = decodeStrictly(encodeSignal(message), {
        useMaps: true,
        strict: true,
        rejectDuplicateMapKeys: true,
        allowIndefinite: false,
        tags: { 4: (content) => ({ tag: 4, content: content() }) }
      })
      expect(read).toEqual(tree(signalStructure.node, message, (tag, content) => ({ tag, content })))
    }),
    { numRuns: 100 }
  )
}, 60_000)

/** { 65535: ITEM }, the place where any item may stand. */
function anywhere(item: Uint8Array): Uint8Array {
  return Uint8Array.from([0xa1, 0x19, 0xff, 0xff, ...item])
}

test('what cborg writes of any data is well-formed for us', () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 4, withMap: false }), (data) => {
      let item: Uint8Array
      try {
        item = encodeWithCborg(data)
      } catch {
        return
      }
      expect(faultOf(anywhere(item))).toBe('decoded')
    }),
    { numRuns: 200 }
  )
}, 60_000)

test('of random items, those that are well-formed for us are exactly those that cbor2 reads', () => {
  // Bytes that begin containers, strings, simple values and ends more often than chance would have it; no tags.
  const untagged = fc.integer({ min: 0, max: 0xff }).filter((value) => value >> 5 !== 6)
  const telling = fc.constantFrom(
    0x81,
    0x82,
    0xa1,
    0x9f,
    0xbf,
    0x5f,
    0x7f,
    0xff,
    0x41,
    0x61,
    0x62,
    0x18,
    0x19,
    0xf8,
    0xf9
  )
  let wellFormed = 0
  fc.assert(
    fc.property(fc.array(fc.oneof(untagged, telling), { minLength: 1, maxLength: 10 }), (item) => {
      const bytes = Uint8Array.from(item)
      const theirs = readsWithCbor2(bytes)
      if (theirs) wellFormed++
      expect(faultOf(anywhere(bytes)) === 'decoded', toHex(bytes)).toBe(theirs)
    }),
    { numRuns: 3000 }
  )
  expect(wellFormed).toBeGreaterThan(100)
}, 60_000)

function readsWithCbor2(bytes: Uint8Array): boolean {
  try {
    decodeWithCbor2(bytes)
    return true
  } catch {
    return false
  }
}

test('where the oracles differ', () => {
  const notUtf8 = Uint8Array.of(0x61, 0xff)
  expect(decodeStrictly(notUtf8, { strict: true })).toBe('\ufffd')
  expect(faultOf(anywhere(notUtf8))).toBe('MODEL_CBOR_UTF8_INVALID')
  const longZero = Uint8Array.of(0x18, 0x00)
  expect(() => decodeStrictly(longZero, { strict: true })).toThrow('more bytes than necessary')
  expect(faultOf(anywhere(longZero))).toBe('decoded')
  const numberAsDate = Uint8Array.of(0xc0, 0x00)
  expect(readsWithCbor2(numberAsDate)).toBe(false)
  expect(faultOf(anywhere(numberAsDate))).toBe('decoded')
})
