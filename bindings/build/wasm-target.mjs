// Makes the compiler's target for WebAssembly available: from rustup, else from Debian's packages.

import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { ENVIRONMENT, findProgram, readOutput, run, TOOLS_FOLDER } from './toolchain.mjs';

const TARGET = 'wasm32-unknown-unknown';

/** Debian keeps this compiler recent for its browsers, and has the source of its library. */
const DEBIAN_PACKAGES = ['rustc-web', 'cargo-web', 'rust-web-src', 'lld'];
const DEBIAN_RUSTC = '/usr/bin/rustc';
const DEBIAN_ENVIRONMENT = {
  PATH: `/usr/bin:${ENVIRONMENT.PATH}`,
  RUSTC: DEBIAN_RUSTC,
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: 'wasm-ld',
};

/** @returns {Readonly<Record<string, string>> | undefined} The environment to compile in. */
export function addWasmTarget() {
  if (hasTarget('rustc')) return {};
  if (findProgram('rustup') !== undefined && run(['rustup', 'target', 'add', TARGET])) return {};
  if (hasTarget(DEBIAN_RUSTC)) return DEBIAN_ENVIRONMENT;
  return installDebianCompiler() && buildLibrary() ? DEBIAN_ENVIRONMENT : undefined;
}

function hasTarget(/** @type {string} */ compiler) {
  const folder = libraryFolder(compiler);
  return folder !== undefined && existsSync(folder);
}

function libraryFolder(/** @type {string} */ compiler) {
  const root = readOutput([compiler, '--print', 'sysroot']);
  return root === undefined ? undefined : join(root, 'lib', 'rustlib', TARGET, 'lib');
}

function installDebianCompiler() {
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) return false;
  const options = ['-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=600'];
  return run(['apt-get', 'install', ...options, ...DEBIAN_PACKAGES], {
    DEBIAN_FRONTEND: 'noninteractive',
  });
}

/** Builds the target's standard library into the compiler's folder, where wasm-pack looks for it. */
function buildLibrary() {
  const folder = join(TOOLS_FOLDER, 'wasm-library');
  mkdirSync(join(folder, 'src'), { recursive: true });
  writeFileSync(join(folder, 'src', 'lib.rs'), '#![no_std]\n');
  const manifest = ['[package]', 'name = "library"', 'version = "0.0.0"', '[workspace]', ''];
  writeFileSync(join(folder, 'Cargo.toml'), manifest.join('\n'));
  const built = run(
    [
      ...['/usr/bin/cargo', 'build', '--release', '--target', TARGET],
      ...['-Z', 'build-std=std,panic_abort', '--manifest-path', join(folder, 'Cargo.toml')],
    ],
    {
      ...DEBIAN_ENVIRONMENT,
      CARGO_TARGET_DIR: join(folder, 'target'),
      RUSTC_BOOTSTRAP: '1',
      // The core is optimized together with its library.
      RUSTFLAGS: '-C embed-bitcode=yes',
    },
  );
  const library = libraryFolder(DEBIAN_RUSTC);
  if (!built || library === undefined) return false;
  mkdirSync(library, { recursive: true });
  const parts = join(folder, 'target', TARGET, 'release', 'deps');
  for (const name of readdirSync(parts))
    if (name.endsWith('.rlib') && !name.startsWith('liblibrary-'))
      copyFileSync(join(parts, name), join(library, name));
  return true;
}
