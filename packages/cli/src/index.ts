export { main } from './main.ts'
export { ExitCode } from './exit-code.ts'
export { socketTransport } from './agent-connection.ts'
