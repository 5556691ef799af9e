// What the figures were measured on; without it they mean nothing.
import { availableParallelism, cpus, release, totalmem } from 'node:os';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memory: number;
  readonly kernel: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory: totalmem(),
    kernel: release(),
    node: process.version,
  };
}

const gibibyte = 2 ** 30;

export function renderMachine(machine: Machine): string {
  const { processor, cores, memory, kernel, node } = machine;
  return `${cores} × ${processor}, ${(memory / gibibyte).toFixed(0)} GiB, kernel ${kernel}, Node ${node}`;
}
