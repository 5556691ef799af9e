// Makes sure that a core is there before Mica starts: the native one where Rust is installed, else
// the WebAssembly one that was built before. CORE chooses, as when Mica runs.

import { existsSync } from 'node:fs';
import process from 'node:process';
import { ADDON, buildNative } from './build-native.mjs';
import { WASM_MODULE } from './build-wasm.mjs';
import { missingForRust } from './toolchain.mjs';

function say(/** @type {string} */ text) {
  process.stderr.write(`${text}\n`);
}

/** @returns {boolean} Whether Mica has a core to start with. */
function setUpWasm() {
  if (existsSync(WASM_MODULE)) return true;
  say('CORE=wasm: the WebAssembly core is not built. `npm run setup:wasm` builds it.');
  return false;
}

/** @returns {boolean} Whether Mica has a core to start with. */
function setUpNative(/** @type {boolean} */ mayBeWasm) {
  const missing = missingForRust();
  if (missing.length === 0) {
    if (buildNative()) return true;
    say('The native core could not be built; what the compiler says is above.');
    return false;
  }
  const advice = missing.map((line) => `  ${line}`).join('\n');
  if (existsSync(ADDON)) {
    say('The native core is used as it was built before; to build it anew:');
  } else if (mayBeWasm && existsSync(WASM_MODULE)) {
    say('The WebAssembly core is used. For the native one, which is faster:');
  } else {
    say(`The core cannot be built. Please\n${advice}\nand start again.`);
    return false;
  }
  say(advice);
  return true;
}

const choice = process.env.CORE ?? '';
const isThere = choice === 'wasm' ? setUpWasm() : setUpNative(choice !== 'native');
if (!isThere) process.exitCode = 1;
