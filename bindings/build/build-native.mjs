// Builds the addon into dist/native; cargo decides what there is to do.

import { join } from 'node:path';
import process from 'node:process';
import { BINDINGS_FOLDER, PROJECT_FOLDER, run } from './toolchain.mjs';

const NAPI = join(PROJECT_FOLDER, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js');

export const ADDON = join(BINDINGS_FOLDER, 'dist', 'native', 'mica-core.node');

/** @returns {boolean} Whether it succeeded. */
export function buildNative() {
  const paths = [
    ...['--manifest-path', join(BINDINGS_FOLDER, 'node', 'Cargo.toml')],
    ...['--package-json-path', join(BINDINGS_FOLDER, 'package.json')],
    ...['--output-dir', join(BINDINGS_FOLDER, 'dist', 'native')],
  ];
  return run([process.execPath, NAPI, 'build', '--release', ...paths]);
}
