// The files that settings point to: made absolute, and looked for before anything starts.

import type { Files } from '../runtime/runtime.ts';
import { resolvePath } from './paths.ts';
import type { KeyPath } from './problems.ts';
import { isMap, type Settings } from './settings.ts';

/** The keys that take a path; `*` stands for any key. */
const PATH_KEYS: readonly (readonly string[])[] = [
  ['data'],
  ['auth', 'htpasswd'],
  ['tls', 'cert'],
  ['tls', 'key'],
  ['tls', 'clientCa'],
  ['upstreams', '*', 'ca'],
  ['upstreams', '*', 'clientCert'],
  ['upstreams', '*', 'clientKey'],
  ['upstreams', '*', 'auth', 'passwordFile'],
  ['upstreams', '*', 'auth', 'dockerConfig'],
];

/** A file that a setting points to and that is not as it must be. */
export interface FileComplaint {
  readonly path: KeyPath;
  readonly message: string;
  readonly hint: string;
}

/** The settings with every path in them absolute; relative ones start at `base`. */
export function withAbsolutePaths(settings: Settings, base: string): Settings {
  return mapPaths(settings, PATH_KEYS, (path) => resolvePath(base, path));
}

/** Looks for every file the settings point to. The data folder is made when it is absent. */
export async function checkFiles(settings: Settings, files: Files): Promise<FileComplaint[]> {
  const checks = PATH_KEYS.flatMap((pattern) => pathsAt(settings, pattern)).map(
    async ([keyPath, file]) => {
      const wrong = await complaintOf(file, files, keyPath[0] === 'data' ? 'directory' : 'file');
      return wrong === undefined ? [] : [{ path: keyPath, ...wrong }];
    },
  );
  return (await Promise.all(checks)).flat();
}

async function complaintOf(
  path: string,
  files: Files,
  kind: 'file' | 'directory',
): Promise<Omit<FileComplaint, 'path'> | undefined> {
  // Somebody who pastes a key where its path belongs must not find it in the log.
  if (path.includes('\n')) {
    return { message: 'is not a path', hint: 'write the path of a file, not its content' };
  }
  try {
    const status = await files.stat(path);
    if (kind === 'directory') {
      if (status === undefined || status.kind === 'directory') return undefined;
      return { message: `${path} is not a folder`, hint: 'name a folder, or one to be made' };
    }
    if (status === undefined) {
      return { message: `${path} does not exist`, hint: 'make the file or mend the path' };
    }
    if (status.kind !== 'directory') await readable(path, files);
    else return { message: `${path} is a folder`, hint: 'name a file' };
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return { message: `${path} cannot be read: ${reason}`, hint: 'let the user of Mica read it' };
  }
  return undefined;
}

async function readable(path: string, files: Files): Promise<void> {
  const file = await files.open(path, 'read');
  await file.close();
}

/** The texts at the paths that match a pattern. */
function pathsAt(value: unknown, pattern: readonly string[]): readonly [KeyPath, string][] {
  const [key, ...rest] = pattern;
  if (key === undefined) return typeof value === 'string' && value !== '' ? [[[], value]] : [];
  if (!isMap(value)) return [];
  return Object.entries(value)
    .filter(([name]) => key === '*' || name === key)
    .flatMap(([name, inner]) =>
      pathsAt(inner, rest).map(([path, text]): [KeyPath, string] => [[name, ...path], text]),
    );
}

function mapPaths(
  settings: Settings,
  patterns: readonly (readonly string[])[],
  change: (path: string) => string,
): Settings {
  const entries = Object.entries(settings).map(([name, value]) => {
    const inner = patterns
      .filter(([key]) => key === '*' || key === name)
      .map(([, ...rest]) => rest);
    if (isMap(value)) return [name, mapPaths(value, inner, change)];
    const isPath = inner.some((rest) => rest.length === 0);
    return [name, isPath && typeof value === 'string' && value !== '' ? change(value) : value];
  });
  return Object.fromEntries(entries);
}
