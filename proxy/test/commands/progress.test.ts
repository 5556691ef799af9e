import test from 'ava';
import { startProgress } from '../../src/commands/progress.ts';
import { MemoryTerminal } from '../doubles/memory-terminal.ts';

test('startProgress() shows nothing when nobody looks', (t) => {
  const terminal = new MemoryTerminal();
  const progress = startProgress(terminal, 'verify');
  progress.update(1, 2);
  progress.stop();
  t.is(terminal.stdout + terminal.stderr, '');
});
