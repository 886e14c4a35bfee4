// A tiny agent with the real life cycle. Its argument says how it behaves.
import { systemClock } from '@breakwater/runtime'
import { runUntilStopped } from '../../src/life-cycle/run-until-stopped.ts'
import { openEventLog } from '../../src/log/event-log.ts'

const behaviour = process.argv[2]
const log = openEventLog({ level: 'info', pretty: false })

try {
  await runUntilStopped(log, systemClock(), (cleanUp) => {
    cleanUp.add('first', () => void process.stdout.write('closed first\n'))
    cleanUp.add('broken', () => Promise.reject(new Error('stuck')))
    cleanUp.add('second', async () => {
      process.stdout.write('closed second\n')
      // Only a second signal ends this one.
      if (behaviour === 'hang') await new Promise(() => setInterval(() => undefined, 1000))
    })
    if (behaviour === 'fail') return Promise.reject(new Error('no such luck'))
    const alive = setInterval(() => undefined, 1000)
    cleanUp.add('interval', () => clearInterval(alive))
    if (behaviour === 'mistake') setImmediate(() => throwMistake())
    if (behaviour === 'storm') setInterval(() => throwMistake(), 1)
    return Promise.resolve({ role: 'server', socket: '/tmp/x', listen: ['127.0.0.1:4646'] })
  })
  if (behaviour === 'storm') process.exit()
} catch (error) {
  process.stdout.write(`failed: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

function throwMistake(): void {
  process.stdout.write('mistake\n')
  throw new TypeError('a mistake of ours')
}
