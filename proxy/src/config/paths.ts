// Absolute paths from those in the configuration, in the POSIX form.

/** The absolute form of `path`, which may be relative to the absolute folder `base`. */
export function resolvePath(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${base}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The folder that holds a file of an absolute path. */
export function parentFolder(path: string): string {
  return resolvePath(path, '..');
}
