/** One parameter of a table of CBOR keys. */
export interface KeyRow {
  readonly key: number
  /** CBOR major types; of a leaf-list that of the array and that of its entries. */
  readonly majors: readonly number[]
}

/** Reads the table with that caption off the text of an RFC: parameter name without module → row. */
export function readKeyTable(rfc: string, caption: string): Map<string, KeyRow> {
  const lines = rfc.slice(0, rfc.indexOf(caption)).split('\n')
  const header = lines.findLastIndex((line) => line.includes('| Parameter Name'))
  const rows = new Map<string, KeyRow>()
  let cells: string[] = []
  for (const line of lines.slice(header)) {
    if (/^ +\+[-=+]+\+ *$/.test(line)) {
      addRow(rows, cells)
      cells = []
    } else if (/^ +\|/.test(line)) cells.push(line)
  }
  return rows
}

function addRow(rows: Map<string, KeyRow>, lines: readonly string[]): void {
  const columns = lines
    .filter((line) => !line.includes('+--'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const column = (index: number): string[] => columns.map((cells) => cells[index] ?? '')
  const name = column(1).join('').replace(/^.*:/, '')
  const key = Number(column(3).join(''))
  // A cell "3 text", "string" spans two lines: the type is the digit that one of them begins with.
  const majors = column(4).flatMap((cell) => (/^[0-7] [a-z]/.test(cell) ? [Number(cell[0])] : []))
  if (Number.isInteger(key) && key > 0) rows.set(name, { key, majors })
}
