/** Numbers of general content formats (RFC 7252 §12.3; RFC 8132 §6; RFC 8949 §9.4; RFC 9132 §10.3; RFC 9177 §12.3). */
export const ContentFormat = {
  textPlain: 0,
  linkFormat: 40,
  xml: 41,
  octetStream: 42,
  exi: 47,
  json: 50,
  jsonPatch: 51,
  mergePatch: 52,
  cbor: 60,
  dotsCbor: 271,
  missingBlocks: 272
} as const

const names: ReadonlyMap<number, string> = new Map([
  [ContentFormat.textPlain, 'text/plain; charset=utf-8'],
  [ContentFormat.linkFormat, 'application/link-format'],
  [ContentFormat.xml, 'application/xml'],
  [ContentFormat.octetStream, 'application/octet-stream'],
  [ContentFormat.exi, 'application/exi'],
  [ContentFormat.json, 'application/json'],
  [ContentFormat.jsonPatch, 'application/json-patch+json'],
  [ContentFormat.mergePatch, 'application/merge-patch+json'],
  [ContentFormat.cbor, 'application/cbor'],
  [ContentFormat.dotsCbor, 'application/dots+cbor'],
  [ContentFormat.missingBlocks, 'application/missing-blocks+cbor-seq']
])

/** `formatContentFormat(50)` is `application/json`; one that has no name here is `content format 9999`. */
export function formatContentFormat(number: number): string {
  return names.get(number) ?? `content format ${number}`
}
