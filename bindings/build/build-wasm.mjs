// Installs what WebAssembly needs, as far as this machine lets it, and builds the core into dist/wasm.
// Run: `npm run setup:wasm`, or with --packages to install nothing but the system's packages.

import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import {
  BINDINGS_FOLDER,
  findProgram,
  missingForRust,
  readOutput,
  run,
  TOOLS_FOLDER,
  wasmBindgenVersion,
} from './toolchain.mjs';
import { addWasmTarget } from './wasm-target.mjs';

export const WASM_MODULE = join(BINDINGS_FOLDER, 'dist', 'wasm', 'mica-core_bg.wasm');

const WASM_PACK_VERSION = '0.15.1';

/** The C parts of the core are compiled with clang: gcc has no WebAssembly. */
function installClang() {
  if (findProgram('clang') !== undefined) return true;
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) return false;
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-qq', '--no-install-recommends', 'clang'];
  run(['apt-get', 'update', '-qq'], environment);
  return run(['apt-get', ...install], environment);
}

/**
 * Not optimized: that takes minutes, and both work for seconds only.
 *
 * @param {string} name
 * @param {string} version
 * @param {readonly string[]} options
 */
function installTool(name, version, options) {
  const program = name === 'wasm-bindgen-cli' ? 'wasm-bindgen' : name;
  const file = findProgram(program);
  const isThere = file !== undefined && readOutput([file, '--version'])?.endsWith(` ${version}`);
  if (isThere) return true;
  const folder = ['--root', TOOLS_FOLDER, '--target-dir', join(TOOLS_FOLDER, 'build')];
  const environment = { CARGO_PROFILE_DEV_DEBUG: 'none' };
  return run(
    ['cargo', 'install', '--debug', ...folder, ...options, `${name}@=${version}`],
    environment,
  );
}

function build(/** @type {Readonly<Record<string, string>>} */ environment) {
  const options = ['--mode', 'no-install', '--release', '--target', 'web', '--no-pack'];
  const output = ['--out-dir', join(BINDINGS_FOLDER, 'dist', 'wasm'), '--out-name', 'mica-core'];
  return run(['wasm-pack', 'build', join(BINDINGS_FOLDER, 'wasm'), ...options, ...output], {
    // wasm-bindgen reads a section that stripping removes, and leaves out symbols itself.
    CARGO_PROFILE_RELEASE_STRIP: 'none',
    ...environment,
  });
}

/** @returns {string | undefined} What went wrong or is missing. */
export function buildWasm() {
  const missing = missingForRust();
  if (missing.length > 0) return missing.join('; ');
  if (!installClang()) return 'install clang: apt-get install clang';
  const environment = addWasmTarget();
  if (environment === undefined) return 'rustup target add wasm32-unknown-unknown failed';
  // Not locked: its lock file names a version of ureq that the registry does not give.
  if (!installTool('wasm-bindgen-cli', wasmBindgenVersion(), [])) return 'no wasm-bindgen';
  if (!installTool('wasm-pack', WASM_PACK_VERSION, ['--locked'])) return 'no wasm-pack';
  return build(environment) ? undefined : 'wasm-pack failed';
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv.includes('--packages')) installClang();
  else {
    const problem = buildWasm();
    if (problem !== undefined) {
      process.stderr.write(`The WebAssembly core cannot be built: ${problem}.\n`);
      process.exitCode = 1;
    }
  }
}
