// Which of an index's images are meant: `linux/amd64`, `linux/arm/v7`, or this machine's own.

import type { Descriptor, Platform } from '../oci/manifest.ts';
import type { Processes } from '../runtime/runtime.ts';
import { UsageError } from './usage-error.ts';

const SHAPE = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9]+))?$/;

/** What `uname -m` says, in the words of Go's GOARCH, which images use.
 * https://github.com/containerd/platforms/blob/v0.2.1/database.go */
const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'linux/amd64'],
  ['aarch64', 'linux/arm64'],
  ['armv7l', 'linux/arm/v7'],
  ['armv6l', 'linux/arm/v6'],
  ['i386', 'linux/386'],
  ['i686', 'linux/386'],
  ['ppc64le', 'linux/ppc64le'],
  ['s390x', 'linux/s390x'],
  ['riscv64', 'linux/riscv64'],
]);

/** Parses `os/architecture[/variant]`; throws UsageError. */
export function parsePlatform(text: string): Platform {
  const [, os, architecture, variant] = SHAPE.exec(text) ?? [];
  if (os === undefined || architecture === undefined) {
    throw new UsageError(`not a platform: ${text} (write os/architecture, such as linux/arm64)`);
  }
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** The platform of this machine's containers; rejects with UsageError when it is not known. */
export async function machinePlatform(processes: Processes): Promise<Platform> {
  const machine = (await processes.run('uname', ['-m'], '')).trim();
  const platform = ARCHITECTURES.get(machine);
  if (platform === undefined) {
    throw new UsageError(
      `this machine's platform is not known (${machine}): name it by --platform`,
    );
  }
  return parsePlatform(platform);
}

/** Images that run on the wanted platform. One that names no variant takes every variant. */
export function selectPlatforms(
  images: readonly Descriptor[],
  wanted: readonly Platform[],
): readonly Descriptor[] {
  return images.filter(({ platform }) =>
    wanted.some(
      (each) =>
        each.os === platform?.os &&
        each.architecture === platform.architecture &&
        (each.variant === undefined || each.variant === platform.variant),
    ),
  );
}
