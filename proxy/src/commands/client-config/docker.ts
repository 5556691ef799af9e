// dockerd: daemon.json, which mirrors Docker Hub only.

import type { Config } from '../../config/config.ts';
import { type ClientFiles, type MirrorAddress, registryUrl } from './engine.ts';
import { hostsToml } from './hosts-toml.ts';

/** The only registry that dockerd's registry-mirrors stand in for. */
const DOCKER_HUB = 'docker.io';

export function dockerFiles(mirror: MirrorAddress, config: Config): ClientFiles {
  // dockerd takes http from loopback addresses without being told.
  const isInsecure = mirror.isPlain && !mirror.isLoopback;
  const daemon = {
    'registry-mirrors': [mirror.url],
    ...(isInsecure ? { 'insecure-registries': [mirror.host] } : {}),
  };
  return {
    files: [
      { path: '/etc/docker/daemon.json', content: `${JSON.stringify(daemon, undefined, 2)}\n` },
      ...otherRegistries(mirror, config),
    ],
    restart: 'systemctl restart docker',
    notes: [
      'merge daemon.json into the file that is there',
      'the files under certs.d work with the containerd image store only (the default of a new Docker 29)',
      ...hubNotes(config),
      ...(mirror.isPlain
        ? []
        : [`with an authority of your own, put it in /etc/docker/certs.d/${mirror.host}/ca.crt`]),
    ],
  };
}

/** With the containerd image store, dockerd has mirrors for the other registries too. */
function otherRegistries(mirror: MirrorAddress, config: Config): ClientFiles['files'] {
  const names = Object.keys(config.upstreams).filter((name) => name !== DOCKER_HUB);
  return names.map((name) => ({
    path: `/etc/docker/certs.d/${name}/hosts.toml`,
    content: hostsToml(mirror, registryUrl(name)),
  }));
}

function hubNotes(config: Config): readonly string[] {
  if (config.upstreams[DOCKER_HUB] === undefined) {
    return ['docker.io is not an upstream of this Mica, so registry-mirrors has no effect'];
  }
  if (config.defaultUpstream === DOCKER_HUB) return [];
  return [
    `defaultUpstream is ${config.defaultUpstream}: the classic image store, which names no registry, would pull from there`,
  ];
}
