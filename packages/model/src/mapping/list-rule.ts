import { fieldName } from '../yang/value.ts'

/** Says which key two entries of a list share (RFC 7950 §7.8.2), or undefined. */
export function keyTwin(entries: readonly unknown[], keyLeaf: string | undefined): string | undefined {
  if (keyLeaf === undefined || entries.length < 2) return undefined
  const field = fieldName(keyLeaf)
  const seen = new Set<unknown>()
  for (const entry of entries) {
    const key = (entry as Readonly<Record<string, unknown>>)[field]
    if (seen.has(key)) return `two entries have the ${keyLeaf} ${String(key)}`
    seen.add(key)
  }
  return undefined
}
