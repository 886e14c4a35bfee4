import { type Duration, Seconds } from '@breakwater/core'

export type Side = 'client' | 'server'

/** One line of a figure. */
export type FigureStep =
  /** A message goes from one side to the other; `lost`: it leaves and never arrives. */
  | { readonly kind: 'message'; readonly from: Side; readonly text: string; readonly lost: boolean }
  /** Time passes. */
  | { readonly kind: 'time'; readonly duration: Duration }
  /** Something happens at one end that the network does not see. */
  | { readonly kind: 'act'; readonly name: string }

/**
 * Reads a figure, as RFCs draw message sequences, the client on the left:
 *
 *     {ask}
 *     CON [1234] GET (20) /status            ------>
 *                                            <------  ACK [1234] 2.05 (20) "22.3 C"
 *     CON [1235] GET (21) /status            ----X
 *     … 2 s
 *
 * `X` in place of the arrow's head, or before its tail, loses the message. `# …` and empty lines are for the reader.
 */
export function readFigure(text: string): readonly FigureStep[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => stepOf(line))
}

const toServer = /^(.+?)\s*-{2,}(>|X)$/
const toClient = /^(<|X)-{2,}\s*(.+)$/
const pause = /^…\s*([\d.]+)\s*s$/
const act = /^\{(.+)\}$/

function stepOf(line: string): FigureStep {
  const [, asked, head] = toServer.exec(line) ?? []
  if (asked !== undefined) return { kind: 'message', from: 'client', text: asked, lost: head === 'X' }
  const [, tip, answered] = toClient.exec(line) ?? []
  if (answered !== undefined) return { kind: 'message', from: 'server', text: answered, lost: tip === 'X' }
  const seconds = pause.exec(line)?.[1]
  if (seconds !== undefined) return { kind: 'time', duration: Seconds(Number(seconds)) }
  const name = act.exec(line)?.[1]
  if (name !== undefined) return { kind: 'act', name }
  throw new Error(`no step of a figure: ${line}`)
}
