import test from 'ava';
import { CoreChoiceError, parseCoreChoice } from '../../src/core-choice.ts';

test('parseCoreChoice() takes the three choices, and nothing for auto', (t) => {
  for (const choice of ['auto', 'native', 'wasm'] as const) t.is(parseCoreChoice(choice), choice);
  t.is(parseCoreChoice(undefined), 'auto');
  t.is(parseCoreChoice(''), 'auto');
});

test('parseCoreChoice() refuses anything else', (t) => {
  for (const text of ['Native', 'rust', ' wasm', '0']) {
    const error = t.throws(() => parseCoreChoice(text), { instanceOf: CoreChoiceError });
    t.is(error?.got, text);
    t.is(error?.code, 'CORE_CHOICE');
  }
});
