/** Rejects when the scenario is to end in its middle; what it started is ended with its world. */
export async function interruption(stopped: Promise<void>): Promise<never> {
  await stopped
  throw new Error('interrupted')
}
