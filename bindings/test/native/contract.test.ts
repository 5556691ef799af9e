import test from 'ava';
import { loadNative } from '../../src/load-native.ts';
import { testCore } from '../contract.ts';

testCore(test, loadNative());
