// hosts.toml, in which containerd and dockerd's containerd image store keep a registry's mirrors:
// https://github.com/containerd/containerd/blob/v2.1.0/docs/hosts.md

import type { MirrorAddress } from './engine.ts';

/** Mica first, then `server`; without one, the registry of the image's name. */
export function hostsToml(mirror: MirrorAddress, server: string | undefined): string {
  const fallback = server === undefined ? '' : `server = ${JSON.stringify(server)}\n\n`;
  return `${fallback}[host.${JSON.stringify(mirror.url)}]\n  capabilities = ["pull", "resolve"]\n`;
}
