// Loaded into every thread of the server under test (NODE_OPTIONS=--import): kills the process at the write point that
// BREAKWATER_CRASH names, as `phase/place/occurrence`, or the file that BREAKWATER_CRASH_ORDER names, once there is one: passings
// count from then on. It knows the writer thread by the calls that this makes of SQLite.
import { openSync, readFileSync, writeSync } from 'node:fs'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { isMainThread, parentPort } from 'node:worker_threads'

/** Pages in the write-ahead log after which it is copied into the file: few, so that every life sees checkpoints. */
const CHECKPOINT_PAGES = 4

const orderFile = process.env['BREAKWATER_CRASH_ORDER']
let [wantedPhase = '', wantedPlace = '', occurrence = '1'] = (process.env['BREAKWATER_CRASH'] ?? '').split(
  '/'
)
let phase: 'unopened' | 'opening' | 'serving' | 'closing' = 'unopened'
let left = Number(occurrence)

/** An order that comes while the server runs. */
function listen(): void {
  if (orderFile === undefined || wantedPhase !== '') return
  try {
    ;[wantedPhase = '', wantedPlace = '', occurrence = '1'] = readFileSync(orderFile, 'utf8').split('/')
  } catch {
    // There is none yet.
    return
  }
  left = Number(occurrence)
  enter(phase)
}

function pass(place: string): void {
  listen()
  if (phase !== wantedPhase || place !== wantedPlace || --left > 0) return
  tell('power-loss')
  writeSync(2, `\nkilled at ${phase}/${place}\n`)
  process.kill(process.pid, 'SIGKILL')
}

/** Tells disk-killer.cc something, whose ear is `open`. */
function tell(order: string): void {
  try {
    openSync(`/breakwater-crash/${order}`, 'r')
  } catch {
    // There is no such file: asking for it was the message.
  }
}

/** Says which system call to die at from now on. */
function enter(next: typeof phase): void {
  phase = next
  tell(phase === wantedPhase ? `${phase}/${wantedPlace}/${occurrence}` : 'none/none/0')
}

type Act = (call: () => unknown, first: unknown, self: unknown) => unknown

/** Puts `act` around a method; `call` is what it did before. */
function around(owner: object, name: string, act: Act): void {
  const before = Reflect.get(owner, name) as (...values: unknown[]) => unknown
  Reflect.set(owner, name, function wrapped(this: unknown, ...values: unknown[]) {
    return act(() => Reflect.apply(before, this, values), values[0], this)
  })
}

function execute(call: () => unknown, sql: unknown, self: unknown): void {
  listen()
  // A store that is shared is opened twice: alone at first, if nobody else has it.
  if (phase === 'unopened' || phase === 'closing') {
    enter('opening')
    ;(self as DatabaseSync).exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  }
  const verb = ['BEGIN', 'COMMIT'].find((word) => String(sql).startsWith(word))?.toLowerCase()
  if (verb !== undefined) pass(`before-${verb}`)
  call()
  if (verb !== undefined) pass(`after-${verb}`)
  if (verb === 'commit' && phase === 'opening') enter('serving')
}

/** What the answers of a thread to its parent bring to pass. */
function post(call: () => unknown, message: unknown): void {
  call()
  if ((message as { readonly kind?: string }).kind === 'done') pass('after-post')
}

if (!isMainThread && parentPort !== null && (wantedPhase !== '' || orderFile !== undefined)) {
  around(DatabaseSync.prototype, 'exec', execute)
  around(StatementSync.prototype, 'run', (call) => {
    const result = call()
    pass('after-statement')
    return result
  })
  around(DatabaseSync.prototype, 'close', (call) => {
    enter('closing')
    pass('before-close')
    call()
    pass('after-close')
  })
  around(parentPort, 'postMessage', post)
}
