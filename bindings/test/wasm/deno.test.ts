import test from 'ava';
import { testCoreOnDeno } from '../deno.ts';

testCoreOnDeno(test, 'wasm');
