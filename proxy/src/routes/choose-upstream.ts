// Which upstream a request means: `?ns=`, the first part of the path, the Host header, or the default.
// Source of `ns`: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#registry-proxying

import type { Config } from '../config/config.ts';
import { OciError } from '../oci/error.ts';
import { parseRepositoryName, type Repository } from '../oci/reference.ts';

/** The closed list of upstreams and the ways to name them. */
export interface UpstreamNames {
  has(name: string): boolean;
  readonly byHost: ReadonlyMap<string, string>;
  readonly defaultName: string;
}

/** Docker Hub's official images live under this name. */
const OFFICIAL = 'library';
const DOCKER_HUB = 'docker.io';

const PORT = /:\d+$/;

export function upstreamNames(
  config: Pick<Config, 'upstreams' | 'defaultUpstream'>,
): UpstreamNames {
  const entries = Object.entries(config.upstreams);
  const names = new Set(entries.map(([name]) => name));
  const byHost = new Map(
    entries.flatMap(([name, { hosts }]) => hosts.map((host) => [host.toLowerCase(), name])),
  );
  return { has: (name) => names.has(name), byHost, defaultName: config.defaultUpstream };
}

/** The repository that a name in a path means; throws NAME_UNKNOWN and NAME_INVALID. */
export function chooseRepository(
  path: string,
  namespace: string | undefined,
  host: string | undefined,
  names: UpstreamNames,
): Repository {
  const slash = path.indexOf('/');
  const first = slash < 0 ? '' : path.slice(0, slash);
  if (namespace !== undefined) {
    if (!names.has(namespace)) {
      const shown = namespace.slice(0, 200);
      throw new OciError('NAME_UNKNOWN', 404, `not a configured upstream: ${shown}`);
    }
    // Clients whose mirror URL has a path send both forms at once.
    return repository(namespace, first === namespace ? path.slice(slash + 1) : path);
  }
  if (names.has(first)) return repository(first, path.slice(slash + 1));
  return repository(upstreamOfHost(host, names) ?? names.defaultName, path);
}

function upstreamOfHost(host: string | undefined, names: UpstreamNames): string | undefined {
  if (host === undefined || names.byHost.size === 0) return undefined;
  const lower = host.toLowerCase();
  return names.byHost.get(lower) ?? names.byHost.get(lower.replace(PORT, ''));
}

function repository(upstream: string, path: string): Repository {
  const isOfficial = upstream === DOCKER_HUB && !path.includes('/');
  return { upstream, name: parseRepositoryName(isOfficial ? `${OFFICIAL}/${path}` : path) };
}
