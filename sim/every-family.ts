import type { Family, FamilyName } from './family.ts'
import { MULTIHOMED } from './multihomed/multihomed-family.ts'
import { PROVIDERS } from './providers-family.ts'
import type { Course } from './scenario.ts'

/** Does something with the family of that name, whatever its scenarios are. */
export function withFamily<Result>(
  name: FamilyName,
  use: <Scenario extends Course>(family: Family<Scenario>) => Result
): Result {
  return name === 'multihomed' ? use(MULTIHOMED) : use(PROVIDERS)
}
