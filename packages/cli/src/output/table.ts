/** The width that everything fits into: that of a terminal nobody resized. */
export const OUTPUT_COLUMNS = 80

/** Blanks between two columns. */
const gap = 2

/** The narrowest that a last column is wrapped to. */
const narrowest = 20

/**
 * Text that came from elsewhere, made harmless: control characters could move the cursor of a terminal or hide what
 * stands before them.
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '?')
}

/** Lines of at most `width` characters, broken at blanks where there are any. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`
    if (joined.length <= width) {
      line = joined
      continue
    }
    if (line !== '') lines.push(line)
    line = word
    for (; line.length > width; line = line.slice(width)) lines.push(line.slice(0, width))
  }
  lines.push(line)
  return lines
}

/** Text behind a word, broken so that it stays behind it. */
export function hanging(word: string, text: string): string[] {
  const indent = ' '.repeat(Math.max(word.length, 4))
  return wrap(printable(text), OUTPUT_COLUMNS - indent.length).map((line, index) =>
    index === 0 ? `${word}${line}` : `${indent}${line}`
  )
}

/**
 * A table that fits 80 columns: every column as wide as its longest cell, the last one wrapped into what is left. Without
 * rows there is no table.
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[], indent = 0): string[] {
  if (rows.length === 0) return []
  const cells = [header, ...rows].map((row) => row.map((cell) => printable(cell)))
  const fixed = header
    .slice(0, -1)
    .map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const limited = limitWidths(fixed, OUTPUT_COLUMNS - indent - narrowest)
  const start = indent + limited.reduce((sum, width) => sum + width + gap, 0)
  return cells.flatMap((row) => rowLines(row, limited, start, indent))
}

/** Takes width from the widest columns until all of them leave room for the last. */
function limitWidths(widths: readonly number[], room: number): number[] {
  const result = [...widths]
  while (result.reduce((sum, width) => sum + width + gap, 0) > room) {
    const widest = Math.max(...result)
    if (widest <= 4) break
    result[result.indexOf(widest)] = widest - 1
  }
  return result
}

function rowLines(
  row: readonly string[],
  widths: readonly number[],
  start: number,
  indent: number
): string[] {
  const columns = row.map((cell, column) => wrap(cell, widths[column] ?? Math.max(OUTPUT_COLUMNS - start, 1)))
  const height = Math.max(...columns.map((lines) => lines.length))
  return Array.from({ length: height }, (_, index) => {
    const parts = columns.map((lines, column) => (lines[index] ?? '').padEnd(widths[column] ?? 0))
    return `${' '.repeat(indent)}${parts.join(' '.repeat(gap))}`.trimEnd()
  })
}
