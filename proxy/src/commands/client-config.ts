// `mica client-config docker|containerd|podman`: prints what makes an engine pull through Mica.

import { formatAddress, isAnyHost, isLoopback } from '../config/address.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { parseUpstreamUrl } from '../config/upstream-url.ts';
import { ValueError } from '../config/value-error.ts';
import { containerdFiles } from './client-config/containerd.ts';
import { dockerFiles } from './client-config/docker.ts';
import type { ClientFiles, MirrorAddress } from './client-config/engine.ts';
import { podmanFiles } from './client-config/podman.ts';
import { reportProblems } from './report-problems.ts';
import { type CommandContext, EXIT_DONE, EXIT_USAGE, type ExitCode } from './terminal.ts';

export type Engine = 'docker' | 'containerd' | 'podman';

export interface ClientConfigOptions {
  readonly json?: boolean | undefined;
  /** How the engines reach Mica; without it, the address it listens on. */
  readonly url?: string | undefined;
}

const ENGINES: Readonly<Record<Engine, (mirror: MirrorAddress, config: Config) => ClientFiles>> = {
  docker: dockerFiles,
  containerd: containerdFiles,
  podman: podmanFiles,
};

export async function clientConfig(
  context: CommandContext,
  engine: Engine,
  options: ClientConfigOptions = {},
): Promise<ExitCode> {
  const { runtime, configFile, terminal } = context;
  try {
    const config = await loadConfig({ runtime, configFile });
    const files = ENGINES[engine](mirrorAddress(config, options.url), config);
    const result = { ...files, notes: [...files.notes, ...generalNotes(config, options)] };
    terminal.out(options.json ? `${JSON.stringify(result, undefined, 2)}\n` : render(result));
    return EXIT_DONE;
  } catch (error) {
    if (!(error instanceof ValueError)) return reportProblems(terminal, error);
    terminal.error(`mica: --url: ${error.message} (${error.hint})\n`);
    return EXIT_USAGE;
  }
}

function mirrorAddress(config: Config, url: string | undefined): MirrorAddress {
  const parsed = new URL(url === undefined ? listenUrl(config) : parseUpstreamUrl(url));
  if (parsed.pathname !== '/') {
    throw new ValueError('invalid-url', url, 'has a path', 'write scheme, host and port only');
  }
  return {
    url: parsed.origin,
    host: parsed.host,
    isPlain: parsed.protocol === 'http:',
    isLoopback: isLoopback(parsed.hostname.replaceAll(/[[\]]/g, '')),
  };
}

/** Every address has no name of its own: engines on this machine reach it on the loopback one. */
function listenUrl(config: Config): string {
  const { host, port } = config.listen;
  const reachable = isAnyHost(host) ? '127.0.0.1' : host;
  const scheme = config.tls === undefined ? 'http' : 'https';
  return `${scheme}://${formatAddress({ host: reachable, port })}`;
}

function generalNotes(config: Config, options: ClientConfigOptions): readonly string[] {
  const { host } = config.listen;
  if (options.url !== undefined) return [];
  if (isAnyHost(host)) return ['for engines on other machines, give the address with --url'];
  if (!isLoopback(host)) return [];
  return ['Mica listens on this machine only; for engines on others change listen and give --url'];
}

function render({ files, restart, notes }: ClientFiles): string {
  const parts = files.map(({ path, content }) => `# ${path}\n${content}`);
  const remarks = [`then: ${restart}`, ...notes.map((note) => `note: ${note}`)];
  return `${parts.join('\n')}\n${remarks.map((remark) => `# ${remark}\n`).join('')}`;
}
