import { expect, it } from 'vitest'
import { sessionLines } from '../src/output/session-lines.ts'

it('shows under the sessions how each path to a server fares', () => {
  const lines = sessionLines('server', [
    {
      peer: 'isp-a',
      state: 'established',
      transport: 'tcp',
      local: '198.51.100.1',
      remote: '192.0.2.1:4646',
      text: 'tries UDP in 86000 s',
      candidates: [
        { path: 'tcp 198.51.100.1 wan-a > 192.0.2.1 4646', text: 'established in 40 ms, 12 s ago' },
        {
          path: 'udp 198.51.100.1 wan-a > 192.0.2.1 4646',
          text: 'no session after 290 ms, when another won, 12 s ago'
        }
      ]
    },
    { peer: 'isp-b', state: 'stopped' }
  ])
  expect(lines.slice(-4)).toEqual([
    '',
    'paths to isp-a',
    '  tcp 198.51.100.1 wan-a > 192.0.2.1 4646: established in 40 ms, 12 s ago',
    '  udp 198.51.100.1 wan-a > 192.0.2.1 4646: no session after 290 ms, when another won, 12 s ago'
  ])
  expect(lines.slice(0, -4).join('\n')).toContain('tries UDP in 86000 s')
})
