import test from 'ava';
import { loadWasm } from '../../src/load-wasm.ts';
import { nodeFiles } from '../../src/node-files.ts';
import { testCore } from '../contract.ts';

testCore(test, await loadWasm(nodeFiles));
