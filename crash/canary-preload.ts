// A store that lies, for the campaign to prove that it would be caught. BREAKWATER_CANARY: `forget` acknowledges every
// fifth transaction without keeping it, `tear` keeps the second half of it only, `revive` deletes nothing, `unsynced` never waits
// for the disk, which only the loss of power brings to light.
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { isMainThread } from 'node:worker_threads'

const lie = process.env['BREAKWATER_CANARY']
let transactions = 0
let statements = 0

if (!isMainThread) {
  const exec = Reflect.get(DatabaseSync.prototype, 'exec')
  Reflect.set(DatabaseSync.prototype, 'exec', function lying(this: DatabaseSync, sql: string) {
    if (sql === 'COMMIT') transactions++
    if (lie === 'unsynced' && sql.startsWith('BEGIN')) Reflect.apply(exec, this, ['PRAGMA synchronous = OFF'])
    statements = 0
    const isForgotten = lie === 'forget' && sql === 'COMMIT' && transactions % 5 === 0
    Reflect.apply(exec, this, [isForgotten ? 'ROLLBACK' : sql])
  })
  const run = Reflect.get(StatementSync.prototype, 'run') as (...values: unknown[]) => unknown
  Reflect.set(StatementSync.prototype, 'run', function lying(this: StatementSync, ...values: unknown[]) {
    const isDeletion = values.length === 2
    if (lie === 'revive' && isDeletion) return undefined
    if (lie === 'tear' && statements++ === 0 && isDeletion) return undefined
    return Reflect.apply(run, this, values)
  })
}
