import { choice, flag, optional, section, text } from './option.ts'

/** Where the local control API listens. */
export function controlSection(defaultSocket: string) {
  return section(
    {
      socket: optional(
        text('socket-path', {
          description:
            'UNIX socket of the local control API, made with mode 0600: who may open it may command the agent.',
          default: defaultSocket
        })
      )
    },
    { description: 'The local control API, which the `dots` command talks to.', default: {} }
  )
}

/** What goes to the log and how it looks. */
export const logSection = section(
  {
    level: optional(
      choice(['debug', 'info', 'warn', 'error'], {
        description: 'The least severe events that are logged.',
        default: 'info'
      })
    ),
    pretty: optional(
      flag({ description: 'Lines for people instead of one JSON object per line.', default: false })
    )
  },
  { description: 'The event log, on standard error.', default: {} }
)
