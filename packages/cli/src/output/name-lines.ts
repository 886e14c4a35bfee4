import type { NameView } from '@breakwater/control'
import { hanging } from './table.ts'
import { durationText } from './words.ts'

/** What each name means, and until when that is believed. */
export function nameLines(names: readonly NameView[], indent: string): string[] {
  return names.flatMap((view) => hanging(indent, `${view.name} ${meaningText(view)}`))
}

function meaningText({ state, addresses, leaving = [], askedAgainInSeconds, text }: NameView): string {
  const shown = addresses.map((each) => (leaving.includes(each) ? `${each} (until others forget it)` : each))
  const again =
    askedAgainInSeconds === undefined ? '' : `; asked again in ${durationText(askedAgainInSeconds)}`
  switch (state) {
    case 'resolved':
      return `is ${shown.join(', ')}${again}`
    case 'kept':
      return `was ${shown.join(', ')}, and that is kept: ${text ?? ''}${again}`
    case 'resolving':
      return 'is being resolved'
    default:
      return `is not known: ${text ?? ''}${again}`
  }
}
