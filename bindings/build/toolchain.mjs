// The programs that build the core: where they are, and how they are run.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const PROJECT_FOLDER = fileURLToPath(new URL('../../', import.meta.url));
export const BINDINGS_FOLDER = join(PROJECT_FOLDER, 'bindings');

/** Rust programs that this project installs for itself; git ignores the folder. */
export const TOOLS_FOLDER = join(PROJECT_FOLDER, '.cache', 'rust-tools');

/** Where rustup puts cargo; a shell that was open before that does not look there. */
const CARGO_FOLDER = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin');

const PATH_FOLDERS = [
  join(TOOLS_FOLDER, 'bin'),
  ...(process.env.PATH ?? '').split(delimiter),
  CARGO_FOLDER,
];

export const ENVIRONMENT = { ...process.env, PATH: PATH_FOLDERS.join(delimiter) };

export const RUST_ADVICE =
  "install Rust: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal";
export const C_ADVICE = 'install a C compiler: apt-get install gcc libc6-dev';

/** @returns {string | undefined} The program's path. */
export function findProgram(/** @type {string} */ name) {
  return PATH_FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(/** @type {string} */ file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Not there, or not for this user.
    return false;
  }
}

/**
 * Runs a program in the project's folder and shows what it prints.
 * @param {readonly [string, ...string[]]} command
 * @param {Readonly<Record<string, string>>} [environment]
 * @returns {boolean} Whether it succeeded.
 */
export function run([program, ...args], environment = {}) {
  const options = { cwd: PROJECT_FOLDER, env: { ...ENVIRONMENT, ...environment } };
  const result = spawnSync(program, args, { ...options, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.error !== undefined) process.stderr.write(`${program}: ${result.error.message}\n`);
  return result.status === 0;
}

/**
 * What a program prints, without the white space around it; undefined when it fails.
 * @param {readonly [string, ...string[]]} command
 * @returns {string | undefined}
 */
export function readOutput([program, ...args]) {
  const result = spawnSync(program, args, { env: ENVIRONMENT, encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** The version of wasm-bindgen that the crate is built with: the program has to be of the same. */
export function wasmBindgenVersion() {
  const text = readFileSync(join(BINDINGS_FOLDER, 'wasm', 'Cargo.toml'), 'utf8');
  const version = /^wasm-bindgen = "=(?<version>[^"]+)"$/m.exec(text)?.groups?.version;
  if (version === undefined) throw new Error('bindings/wasm/Cargo.toml pins no wasm-bindgen');
  return version;
}

/** What is missing for compiling anything, as advice. */
export function missingForRust() {
  const missing = [];
  if (findProgram('cargo') === undefined) missing.push(RUST_ADVICE);
  if (findProgram('cc') === undefined) missing.push(C_ADVICE);
  return missing;
}
