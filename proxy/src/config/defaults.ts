// The configuration of a Mica that was told nothing, in the form of the file.

import type { Runtime } from '../runtime/runtime.ts';
import { resolvePath } from './paths.ts';
import type { Settings } from './settings.ts';

/**
 * What each upstream has unless it says otherwise. containerd skips a mirror that sent no header
 * within 30 s: connecting and waiting for the first header must both fit in that, with time to spare.
 */
export const UPSTREAM_DEFAULTS: Settings = {
  passThrough: false,
  hosts: [],
  connectTimeout: '5s',
  headersTimeout: '15s',
  bodyTimeout: '30s',
};

const UPSTREAM_URLS: Settings = {
  'docker.io': { url: 'https://registry-1.docker.io' },
  'ghcr.io': { url: 'https://ghcr.io' },
  'quay.io': { url: 'https://quay.io' },
  'registry.k8s.io': { url: 'https://registry.k8s.io' },
  'gcr.io': { url: 'https://gcr.io' },
  'mcr.microsoft.com': { url: 'https://mcr.microsoft.com' },
  'public.ecr.aws': { url: 'https://public.ecr.aws' },
};

/** The built-in settings. Only the data folder depends on the machine. */
export function defaultSettings(runtime: Runtime): Settings {
  return {
    listen: '127.0.0.1:5000',
    admin: '127.0.0.1:5001',
    data: defaultDataFolder(runtime),
    quota: '80%',
    defaultUpstream: 'docker.io',
    upstreams: UPSTREAM_URLS,
    tags: { ttl: '60s', negativeTtl: '10s', staleIfError: '7d' },
    dedup: {
      mode: 's',
      replicas: 1,
      rawBudget: '20%',
      minLayer: '4KiB',
      workers: 'auto',
      predict: true,
    },
    access: { grantTtl: '5m' },
    index: { url: 'lmdb:' },
    store: { url: 'file:', recheck: '30d' },
    log: { level: 'info', format: 'json' },
  };
}

/** https://specifications.freedesktop.org/basedir-spec/latest/#variables: a relative value is ignored. */
function defaultDataFolder(runtime: Runtime): string {
  if (runtime.isRoot) return '/var/lib/mica';
  const dataHome = runtime.environment['XDG_DATA_HOME'];
  const base =
    dataHome?.startsWith('/') === true ? dataHome : `${runtime.homeDirectory}/.local/share`;
  return resolvePath(base, 'mica');
}
