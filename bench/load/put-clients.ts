// Many DOTS clients in a process of their own: put-clients.ts PORT PATTERN [RATE]. Told to `connect` and, again and again, to run.
import { CLIENTS } from './many-clients.ts'
import { PutClient } from './put-client.ts'
import type { Pattern } from './put-client.ts'
import { serveRates } from './sampler.ts'

const [port = '', pattern = 'new', perSecond] = process.argv.slice(2)
const clients = Array.from({ length: CLIENTS }, (_, index) => new PutClient(index, pattern as Pattern))
for (const client of clients) await client.connect(Number(port))
setInterval(() => {
  for (const client of clients) client.watch()
}, 200)

let pacing: NodeJS.Timeout | undefined

/** So many requests a second, each by the next client that has none on its way. */
function pace(rate: number): void {
  let [from, asked, next] = [performance.now(), 0, 0]
  pacing = setInterval(() => {
    const due = ((performance.now() - from) / 1000) * rate
    for (let tried = 0; asked < due && tried < CLIENTS; tried++)
      if (clients[next++ % CLIENTS]?.askOnce() === true) asked++
  }, 2)
}

serveRates({
  start: () => {
    if (perSecond !== undefined) pace(Number(perSecond))
    else for (const client of clients) client.start()
  },
  stop: () => {
    clearInterval(pacing)
    for (const client of clients) client.stop()
  },
  count: () => clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
})
