import { addressBits, formatIpPrefix } from '@breakwater/core'
import { prefix } from '../addressing.ts'
import type { Chance } from '../chance.ts'
import type { NamingPlan } from '../layout.ts'
import type { Action } from '../scenario.ts'
import { pieceOf } from './random-network.ts'

/** What a client's targets may be called: hosts of the site that move, and a name service that falls silent for a while. */
export function randomNaming(chance: Chance, own: readonly string[], stormSeconds: number): NamingPlan {
  if (own.length === 0 || chance.happens(0.5)) return { names: [], silences: [] }
  const hosts = (): string[] =>
    Array.from({ length: chance.oneOf([1, 1, 2, 3]) }, () => {
      const whole = prefix(chance.oneOf(own))
      return formatIpPrefix(pieceOf(chance, whole, addressBits(whole.address.family)))
    })
  const names = Array.from({ length: chance.integer(1, 4) }, (_, index) => {
    const moves = Array.from({ length: chance.integer(0, 3) }, () => chance.between(1, stormSeconds))
    const answers = [0, ...moves.toSorted((a, b) => a - b)].map((at) => ({
      at,
      addresses: hosts(),
      ttlSeconds: chance.oneOf([0, 5, 30, 60])
    }))
    return { name: `kiosk-${index}.test`, answers }
  })
  const silences = Array.from({ length: chance.oneOf([0, 0, 1, 2]) }, () => {
    const at = chance.between(0, stormSeconds * 0.9)
    return { at, lasts: Math.min(chance.between(1, 200), stormSeconds - at) }
  })
  return { names, silences }
}

/** Some of these wishes are for what is named, with or without prefixes beside it. */
export function withNames(
  chance: Chance,
  actions: readonly Action[],
  naming: NamingPlan | undefined
): readonly Action[] {
  const all = (naming?.names ?? []).map(({ name }) => name)
  if (all.length === 0) return actions
  return actions.map((action) => {
    if (action.kind === 'release' || chance.happens(0.6)) return action
    const names = chance.someOf(all, chance.oneOf([1, 1, 2]))
    return { ...action, names, prefixes: chance.happens(0.5) ? [] : action.prefixes }
  })
}
