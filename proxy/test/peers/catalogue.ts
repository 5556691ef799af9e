// The real clients, registries and tools the tests run Mica with, each pinned, and where each comes from.

export interface GoPeer {
  readonly module: string;
  readonly version: string;
  /** Program name -> package path inside the module. */
  readonly programs: Readonly<Record<string, string>>;
}

/** Built with `go install`; the first run takes minutes, later ones skip what is there. */
export const GO_PEERS: readonly GoPeer[] = [
  {
    module: 'github.com/distribution/distribution/v3',
    version: 'v3.1.1',
    programs: { registry: 'cmd/registry' },
  },
  {
    module: 'github.com/google/go-containerregistry',
    version: 'v0.22.1',
    programs: { crane: 'cmd/crane' },
  },
  {
    module: 'github.com/regclient/regclient',
    version: 'v0.11.7',
    programs: { regctl: 'cmd/regctl' },
  },
  {
    module: 'github.com/opencontainers/distribution-spec/conformance',
    version: 'v0.0.0-20260831232431-97274622c111',
    programs: { conformance: '' },
  },
  {
    module: 'github.com/containerd/containerd/v2',
    version: 'v2.4.2',
    programs: {
      containerd: 'cmd/containerd',
      ctr: 'cmd/ctr',
      'containerd-shim-runc-v2': 'cmd/containerd-shim-runc-v2',
    },
  },
];

/** Program -> Debian package that has it. */
export const DEBIAN_PEERS: Readonly<Record<string, string>> = {
  docker: 'docker.io',
  dockerd: 'docker.io',
  runc: 'runc',
  skopeo: 'skopeo',
  podman: 'podman',
  buildah: 'buildah',
  mmdebstrap: 'mmdebstrap',
  'mkfs.ext4': 'e2fsprogs',
  losetup: 'mount',
  mount: 'mount',
  setpriv: 'util-linux',
  fallocate: 'util-linux',
  chromium: 'chromium',
};

export const GO_PROGRAMS: ReadonlySet<string> = new Set(
  GO_PEERS.flatMap((peer) => Object.keys(peer.programs)),
);
