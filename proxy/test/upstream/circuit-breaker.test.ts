import test from 'ava';
import { CircuitBreaker } from '../../src/upstream/circuit-breaker.ts';
import { FakeClock } from '../doubles/fake-clock.ts';

function openCircuit() {
  const clock = new FakeClock();
  const circuit = new CircuitBreaker(clock);
  for (let count = 0; count < 5; count += 1) {
    circuit.enter();
    circuit.leave('failed');
  }
  return { clock, circuit };
}

test('CircuitBreaker opens after failures in a row', (t) => {
  const { circuit } = openCircuit();
  t.is(circuit.state, 'open');
  t.is(circuit.enter(), 5);
});

test('CircuitBreaker stays closed when an answer comes between failures', (t) => {
  const circuit = new CircuitBreaker(new FakeClock());
  for (let count = 0; count < 20; count += 1) {
    t.is(circuit.enter(), 0);
    circuit.leave(count % 4 === 3 ? 'answered' : 'failed');
  }
  t.is(circuit.state, 'closed');
});

test('CircuitBreaker lets one trial through and closes when it is answered', async (t) => {
  const { clock, circuit } = openCircuit();
  await clock.advance(5000);
  t.is(circuit.state, 'half-open');
  t.is(circuit.enter(), 0);
  t.is(circuit.enter(), 1);
  circuit.leave('answered');
  t.is(circuit.state, 'closed');
  t.is(circuit.enter(), 0);
});

test('CircuitBreaker opens for longer when the trial fails', async (t) => {
  const { clock, circuit } = openCircuit();
  await clock.advance(5000);
  circuit.enter();
  circuit.leave('failed');
  t.is(circuit.state, 'open');
  t.is(circuit.enter(), 10);
});

test('CircuitBreaker tries again after a trial that was given up', async (t) => {
  const { clock, circuit } = openCircuit();
  await clock.advance(5000);
  circuit.enter();
  circuit.leave('unknown');
  t.is(circuit.enter(), 0);
});
