// Where the programs are that Mica is compared with.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `node proxy/dist/test/peers/install.js` installs there. */
const peersFolder = fileURLToPath(new URL('../../../../.cache/peers', import.meta.url));
/** Debian keeps nginx outside an ordinary user's PATH. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Path of the program; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  const named = process.env['MICA_INSTALL_PEERS'];
  const path = (process.env['PATH'] ?? '').split(delimiter);
  return [...(named === undefined ? [] : [named]), peersFolder, ...path, ...systemFolders]
    .map((folder) => join(folder, name))
    .find((file) => isExecutable(file));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // Not there, or not for this user: both mean that it cannot be run.
  }
}
