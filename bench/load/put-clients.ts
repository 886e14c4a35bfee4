// Many DOTS clients in a process of their own: put-clients.ts PORT PATTERN. Told to `connect` and, again and again, to run.
import { CLIENTS } from './many-clients.ts'
import { PutClient } from './put-client.ts'
import type { Pattern } from './put-client.ts'
import { serveSampler } from './sampler.ts'

const [port = '', pattern = 'new'] = process.argv.slice(2)
const clients = Array.from({ length: CLIENTS }, (_, index) => new PutClient(index, pattern as Pattern))
for (const client of clients) await client.connect(Number(port))
setInterval(() => {
  for (const client of clients) client.watch()
}, 200)

serveSampler({
  start: () => {
    for (const client of clients) client.start()
  },
  stop: () => {
    for (const client of clients) client.stop()
  },
  count: () => clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
})
