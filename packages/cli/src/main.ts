import { Command, CommanderError, Option } from 'commander'
import { ExitCode, exitCodeOf } from './exit-code.ts'
import { reportError } from './output/report.ts'
import { usageError } from './usage-error.ts'
import { VERSION } from './version.ts'

/** Runs one command line and sets the exit code of the process. */
export async function main(args: readonly string[]): Promise<void> {
  const json = args.includes('--json')
  try {
    const state: { code: ExitCode } = { code: ExitCode.ok }
    await program(state).parseAsync([...args], { from: 'user' })
    process.exitCode = state.code
  } catch (error) {
    process.exitCode = finish(error, json)
  }
}

function finish(error: unknown, json: boolean): ExitCode {
  if (!(error instanceof CommanderError)) {
    reportError(error, json)
    return exitCodeOf(error)
  }
  // --help and --version end this way, too.
  if (error.exitCode === 0) return ExitCode.ok
  // `dots` alone: the help was printed, and it is still not a command.
  if (error.code === 'commander.help') return ExitCode.usage
  reportError(usageError(error.message.replace(/^error: /, '')), json)
  return ExitCode.usage
}

interface State {
  code: ExitCode
}

/** Commands load what they need when they run: `dots status` never pays for X.509 or for an agent. */
function program(state: State): Command {
  const dots = new Command('dots')
    .description('DDoS Open Threat Signaling for networks with more than one provider')
    .version(VERSION)
    .showHelpAfterError(false)
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
  addAgents(dots, state)
  addClientCommands(dots, state)
  addServerCommands(dots, state)
  addStatus(dots, state)
  addPaths(dots, state)
  addProvision(dots, state)
  addConfig(dots, state)
  addSite(dots, state)
  addPki(dots, state)
  return dots
}

function addAgents(dots: Command, state: State): void {
  for (const role of ['server', 'client'] as const)
    dots
      .command(role)
      .description(`run a DOTS ${role} until SIGTERM`)
      .requiredOption('-c, --config <file>', 'YAML configuration')
      .option('--json', 'report a failure to start as one JSON object')
      .action(async (options: { config: string }) => {
        const { runAgent } = await import('./commands/run-agent.ts')
        state.code = await runAgent(role, options)
      })
}

function addClientCommands(dots: Command, state: State): void {
  targetCommand(dots, 'protect', 'ask the providers that can help to protect a target')
    .option('--lifetime <time>', 'how long: seconds, 90m, 2h, or "indefinite"')
    .addOption(
      new Option('--require <servers>', 'alarm when any server is missing, or all of a part').choices([
        'all',
        'any'
      ])
    )
    .option('--wait', 'wait until every server has answered')
    .option('--timeout <seconds>', 'how long --wait waits (default: 60)')
    .action(async (targets: string[], options: object) => {
      const { protect } = await import('./commands/protect.ts')
      state.code = await protect(targets, options)
    })
  targetCommand(dots, 'plan', 'show who would be asked, and why; sends nothing to any server')
    .option('--offline', 'ask no resolver; refuses names')
    .action(async (targets: string[], options: object) => {
      const { plan } = await import('./commands/plan.ts')
      state.code = await plan(targets, options)
    })
  agentCommand(
    dots.command('domains'),
    'show what each provider gave, how it was learnt, for how long, and what was refused'
  ).action(async (options: object) => {
    const { domains } = await import('./commands/domains.ts')
    state.code = await domains(options)
  })
  agentCommand(dots.command('why'), 'show the last decisions about something, and their reasons')
    .argument(
      '<id>',
      'a protection, a server, a name or a path; a word of one (an address, an interface) means all such paths'
    )
    .action(async (id: string, options: object) => {
      const { why } = await import('./commands/why.ts')
      state.code = await why(id, options)
    })
  agentCommand(dots.command('release'), 'end a protection')
    .argument('<id>', 'the protection, as "dots protect" and "dots status" show it')
    .option('--wait', 'wait until every server has confirmed')
    .action(async (id: string, options: object) => {
      const { release } = await import('./commands/release.ts')
      state.code = await release(id, options)
    })
  agentCommand(dots.command('efficacy'), 'tell the providers how well a protection works')
    .argument('<id>', 'the protection, as "dots protect" and "dots status" show it')
    .argument('<status>', '"under-attack" or "mitigated": what is seen of the attack here')
    .action(async (id: string, status: string, options: object) => {
      const { efficacy } = await import('./commands/efficacy.ts')
      state.code = await efficacy(id, status, options)
    })
}

function addServerCommands(dots: Command, state: State): void {
  agentCommand(dots.command('redirect'), 'send the clients of a server to another one')
    .argument('[server]', 'domain name of the other DOTS server')
    .option('--address <addresses...>', 'its addresses')
    .option('--ttl <seconds>', 'how long clients may use it (default: 86400)')
    .option('--client <names...>', 'send only these clients there')
    .option('--stop', 'send nobody elsewhere any more')
    .action(async (server: string | undefined, options: object) => {
      const { redirect } = await import('./commands/redirect.ts')
      state.code = await redirect(server, options)
    })
}

function targetCommand(dots: Command, name: string, description: string): Command {
  return agentCommand(dots.command(name), description)
    .argument('[target...]', 'addresses and prefixes')
    .option('--fqdn <names...>', 'domain names: whatever addresses they have, now and later')
    .option('--uri <uris...>', 'URIs, each with the port and the protocols of its scheme')
    .option('--alias <names...>', 'aliases of the configuration of the agent')
    .option('--port <ports...>', 'narrow to ports: 80, 8000-8010')
    .option('--protocol <protocols...>', 'narrow to protocols: udp, tcp, or numbers')
    .option('--allow-partial', 'go on when a part of the target is not ours to protect')
    .addOption(
      new Option(
        '--policy <policy>',
        "who is asked about prefixes of the site's own: every server, or, as a deviation, one provider at a time or for each prefix"
      ).choices(['all', 'serial', 'divide'])
    )
}

function agentCommand(command: Command, description: string): Command {
  return command
    .description(description)
    .option(
      '--socket <path>',
      'control socket of the agent (default: DOTS_SOCKET, then /run/breakwater/*.sock)'
    )
    .option('--json', 'print one JSON object')
}

function addStatus(dots: Command, state: State): void {
  agentCommand(dots.command('status'), 'show what the agent does')
    .option('--counters', 'with all its counters')
    .action(async (options: object) => {
      const { status } = await import('./commands/status.ts')
      state.code = await status(options)
    })
}

function addPaths(dots: Command, state: State): void {
  const path = dots.command('path').description('look at the paths to the servers')
  agentCommand(path.command('list'), 'show every path, how it fares, and what it is used for').action(
    async (options: object) => {
      const { listPaths } = await import('./commands/path/list.ts')
      state.code = await listPaths(options)
    }
  )
}

function addProvision(dots: Command, state: State): void {
  dots
    .command('provision')
    .description('tell clients what a DHCP client learnt; called by its hook')
    .argument('[args...]', 'what the DHCP client gave its hook')
    .requiredOption('--client <name>', 'dhclient, udhcpc, udhcpc6, dhcpcd or networkmanager')
    .option('--directory <path>', 'the drop directory of the agent', '/run/breakwater/provisioning')
    .option('--domain <name>', 'the provider, where its interface does not tell')
    .option('--json', 'print one JSON object')
    .action(async (args: string[], options: { client: string; directory: string }) => {
      const { provision } = await import('./commands/provision.ts')
      state.code = await provision(args, options)
    })
}

function addConfig(dots: Command, state: State): void {
  dots
    .command('config')
    .description('look at configurations')
    .command('check')
    .description('report every mistake of a configuration')
    .argument('<file>', 'YAML configuration')
    .addOption(
      new Option('--role <role>', 'which agent it is for; by default its keys tell').choices([
        'server',
        'client'
      ])
    )
    .option('--json', 'print one JSON object')
    .action(async (file: string, options: object) => {
      const { checkConfig } = await import('./commands/config/check.ts')
      state.code = await checkConfig(file, options)
    })
}

function addSite(dots: Command, state: State): void {
  const site = dots.command('site').description('plan a site with several providers; asks no agent')
  site
    .command('plan')
    .description('number its links from the prefixes of the providers, and show who protects what')
    .argument('<file>', 'YAML description of the site')
    .option('--json', 'print one JSON object')
    .action(async (file: string, options: object) => {
      const { planSite } = await import('./commands/site/plan.ts')
      state.code = await planSite(file, options)
    })
  site
    .command('exits')
    .description('show what sends every source address out by its own provider')
    .argument('<file>', 'YAML description of the site')
    .option('--router <name>', 'which router of the file this is (default: the only one with exits)')
    .option('--check', 'ask the kernel by which exit each source leaves; changes nothing')
    .option('--apply', 'put the rules, routes and filter into the kernel')
    .option('--remove', 'take everything out of the kernel that --apply put there')
    .option('--json', 'print one JSON object')
    .action(async (file: string, options: object) => {
      const { siteExits } = await import('./commands/site/exits.ts')
      state.code = await siteExits(file, options)
    })
}

function addPki(dots: Command, state: State): void {
  const pki = dots.command('pki').description('a small certification authority')
  pki
    .command('init')
    .description('make the authority')
    .argument('<dir>', 'folder of the authority')
    .option('--name <name>', 'common name of the authority', 'Breakwater CA')
    .option('--days <days>', 'how long it is valid', '3650')
    .option('--json', 'print one JSON object')
    .action(async (folder: string, options: { name: string; days: string }) => {
      const { initAuthority } = await import('./commands/pki/init.ts')
      state.code = await initAuthority(folder, options)
    })
  pki
    .command('issue')
    .description('issue a certificate with a new key')
    .argument('<name>', 'name of the agent, and of its files')
    .option('--server', 'for a DOTS server')
    .option('--client', 'for a DOTS client')
    .option('--dns <names...>', 'DNS names that peers know the agent by')
    .option('--dir <dir>', 'folder of the authority', '.')
    .option('--days <days>', 'how long it is valid', '365')
    .option('--json', 'print one JSON object')
    .action(async (name: string, options: { dir: string; days: string }) => {
      const { issueCertificate } = await import('./commands/pki/issue.ts')
      state.code = await issueCertificate(name, options)
    })
}
