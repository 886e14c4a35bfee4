/**
 * Runs a DOTS server until SIGTERM or SIGINT.
 * @throws ConfigError with every mistake of the configuration; UnavailableError when a socket or file cannot be used.
 */
export async function runServer(configFile: string): Promise<void> {
  const { serve } = await import('./server/serve.ts')
  await serve(configFile)
}

/** Runs a DOTS client until SIGTERM or SIGINT. Throws as `runServer` does. */
export async function runClient(configFile: string): Promise<void> {
  const { serve } = await import('./client/serve.ts')
  await serve(configFile)
}
