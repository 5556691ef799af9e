// Formats and lints of the Rust part, where Rust is installed.

import process from 'node:process';
import { findProgram, run } from './toolchain.mjs';

/** @type {readonly [string, ...string[]][]} */
const CHECKS = [
  ['cargo', 'fmt', '--check'],
  ['cargo', 'clippy', '--quiet', '--workspace', '--all-targets', '--', '-D', 'warnings'],
];

if (findProgram('cargo') === undefined) {
  process.stderr.write('Rust is not installed: its part is not checked.\n');
} else {
  for (const check of CHECKS) if (!run(check)) process.exitCode = 1;
}
