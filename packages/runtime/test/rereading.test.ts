import { expect, it } from 'vitest'
import { Rereading } from '../src/rereading.ts'

/** Readings that end when they are told to. */
function held(): { readonly ends: (() => void)[]; readonly rereading: Rereading } {
  const ends: (() => void)[] = []
  const rereading = new Rereading(
    () =>
      new Promise((resolve) => {
        ends.push(resolve)
      })
  )
  return { ends, rereading }
}

it('changes during a reading make one more, however many they are', async () => {
  const { ends, rereading } = held()
  const all = [rereading.want(), rereading.want(), rereading.want()]
  expect(ends).toHaveLength(1)
  ends[0]?.()
  await Promise.resolve()
  expect(ends).toHaveLength(2)
  ends[1]?.()
  await Promise.all(all)
  expect(ends).toHaveLength(2)
  void rereading.want()
  expect(ends).toHaveLength(3)
  ends[2]?.()
  await rereading.close()
})

it('the end waits for the reading under way, and lets none begin', async () => {
  const { ends, rereading } = held()
  void rereading.want()
  void rereading.want()
  const closed = rereading.close()
  ends[0]?.()
  await closed
  await rereading.want()
  expect(ends).toHaveLength(1)
})
