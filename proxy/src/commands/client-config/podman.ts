// Podman, Buildah, Skopeo and CRI-O: mirrors as rewritten prefixes.
// https://github.com/containers/image/blob/v5.34.0/docs/containers-registries.conf.5.md

import type { Config } from '../../config/config.ts';
import type { ClientFiles, MirrorAddress } from './engine.ts';

const FILE = '/etc/containers/registries.conf.d/mica.conf';

export function podmanFiles(mirror: MirrorAddress, config: Config): ClientFiles {
  const registries = Object.keys(config.upstreams).map((name) => registry(mirror, name));
  return {
    files: [{ path: FILE, content: registries.join('\n') }],
    restart: 'nothing: the next pull reads it (CRI-O: systemctl reload crio)',
    notes: [
      'without root: ~/.config/containers/registries.conf.d/mica.conf',
      ...(mirror.isPlain
        ? []
        : [
            `with an authority of your own, put it in /etc/containers/certs.d/${mirror.host}/ca.crt`,
          ]),
    ],
  };
}

function registry(mirror: MirrorAddress, name: string): string {
  const lines = [
    '[[registry]]',
    `prefix = ${JSON.stringify(name)}`,
    `location = ${JSON.stringify(name)}`,
    '',
    '[[registry.mirror]]',
    `location = ${JSON.stringify(`${mirror.host}/${name}`)}`,
    ...(mirror.isPlain ? ['insecure = true'] : []),
  ];
  return `${lines.join('\n')}\n`;
}
