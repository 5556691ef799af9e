// Runs the tests of the Rust part; all of them, though one fails.

import process from 'node:process';
import { run } from './toolchain.mjs';

if (!run(['cargo', 'test', '--quiet', '--workspace', '--no-fail-fast'])) process.exitCode = 1;
