// Light things at once; the agents themselves only when one is run: `dots config check` must not wait for them.
export { checkConfigFile, loadClientConfig, loadServerConfig } from './config/load.ts'
export type { AgentRole, LoadedConfig } from './config/load.ts'
export { clientConfigSchema } from './config/client-config.ts'
export type { ClientConfig } from './config/client-config.ts'
export { serverConfigSchema } from './config/server-config.ts'
export type { ServerConfig } from './config/server-config.ts'
export { runClient, runServer } from './run.ts'
