import test from 'ava';
import { formatLine } from '../src/open-log.ts';

test('formatLine() prints time, level, message and fields on one line', (t) => {
  const line = formatLine({
    level: 'info',
    time: '2026-01-02T03:04:05.678Z',
    msg: 'request',
    path: '/v2/',
    status: 200,
    userAgent: 'a b',
  });
  t.is(line, '2026-01-02T03:04:05.678Z INFO  request path=/v2/ status=200 userAgent="a b"\n');
});

test('formatLine() prints the stack of an error below', (t) => {
  const err = { message: 'no', stack: 'Error: no\n    at here' };
  t.is(
    formatLine({ level: 'error', time: 't', msg: 'failed', err }),
    't ERROR failed\nError: no\n    at here\n',
  );
});
