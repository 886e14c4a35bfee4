import { DecodeError, Seconds, after } from '@breakwater/core'
import type { Clock, Duration } from '@breakwater/core'
import type { ClientHost, ProtectionId, Wanted } from '@breakwater/dots'
import { nearestWord } from '../config/nearest-word.ts'
import type { ProtectionBook } from './protection-book.ts'

/** Who asks for protection by name is answered when the resolver has spoken, or no later than this. */
const PATIENCE: Duration = Seconds(9)

/**
 * Refuses aliases that the site does not have.
 * @throws DecodeError with the alias that was probably meant.
 */
export function checkAliases({ named }: Wanted, host: ClientHost): void {
  const known = host.aliases()
  for (const name of named?.aliases ?? []) {
    if (known.includes(name)) continue
    const near = nearestWord(name, known)
    const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`
    const shown = JSON.stringify(name.slice(0, 80))
    throw new DecodeError('CONTROL_ALIAS_UNKNOWN', `the site has no alias ${shown}${hint}`)
  }
}

/** Resolves when each name of a protection has been asked for once, whatever came of it. */
export function whenResolved(
  id: ProtectionId,
  { book, clock }: { readonly book: ProtectionBook; readonly clock: Clock }
): Promise<void> {
  const isResolving = (): boolean =>
    book.get(id)?.status.names.some(({ state }) => state === 'resolving') === true
  if (!isResolving()) return Promise.resolve()
  return new Promise((resolve) => {
    const finish = (): void => {
      unsubscribe()
      timer.cancel()
      resolve()
    }
    const unsubscribe = book.onChange(() => {
      if (!isResolving()) finish()
    })
    const timer = clock.schedule(after(clock.now(), PATIENCE), finish)
  })
}
