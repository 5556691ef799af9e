// containerd 2: one folder a registry under certs.d, and the setting that makes CRI look there.

import type { Config } from '../../config/config.ts';
import { type ClientFiles, type MirrorAddress, registryUrl } from './engine.ts';
import { hostsToml } from './hosts-toml.ts';

const CERTS_FOLDER = '/etc/containerd/certs.d';

/** https://github.com/containerd/containerd/blob/v2.1.0/docs/cri/registry.md#configure-registry-endpoint */
const CONFIG_TOML = `# merge into the file that is there
version = 3

[plugins."io.containerd.cri.v1.images".registry]
  config_path = "${CERTS_FOLDER}"
`;

export function containerdFiles(mirror: MirrorAddress, config: Config): ClientFiles {
  const hosts = Object.keys(config.upstreams).map((name) => ({
    path: `${CERTS_FOLDER}/${name}/hosts.toml`,
    content: hostsToml(mirror, registryUrl(name)),
  }));
  const others = {
    path: `${CERTS_FOLDER}/_default/hosts.toml`,
    content: hostsToml(mirror, undefined),
  };
  return {
    files: [...hosts, others, { path: '/etc/containerd/config.toml', content: CONFIG_TOML }],
    restart: 'systemctl restart containerd (only after a change of config.toml)',
    notes: [
      '_default is for registries without a folder: Mica declines those it has no upstream for, and containerd goes on to the registry',
      `ctr needs --hosts-dir ${CERTS_FOLDER}`,
      'containerd 1.x: version = 2 and plugins."io.containerd.grpc.v1.cri".registry instead',
      ...(mirror.isPlain ? [] : ['with an authority of your own, add ca = "FILE" under [host...]']),
    ],
  };
}
