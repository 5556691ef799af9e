// The state of each upstream for Prometheus, read whenever the metrics are.

import { Counter, Gauge, type Registry } from 'prom-client';
import type { UpstreamStatus } from '../upstream/upstream.ts';

const CIRCUITS: readonly UpstreamStatus['circuit'][] = ['closed', 'half-open', 'open'];

interface UpstreamMetric {
  readonly name: string;
  readonly help: string;
  readonly read: (status: UpstreamStatus) => number | undefined;
}

const GAUGES: readonly UpstreamMetric[] = [
  {
    name: 'mica_upstream_circuit_state',
    help: 'Circuit of an upstream: 0 closed, 1 half-open, 2 open',
    read: (status) => CIRCUITS.indexOf(status.circuit),
  },
  {
    name: 'mica_upstream_rate_limit',
    help: 'Pulls that an upstream allows in its window',
    read: (status) => status.rateLimit?.limit,
  },
  {
    name: 'mica_upstream_rate_limit_remaining',
    help: 'Pulls that an upstream still allows',
    read: (status) => status.rateLimit?.remaining,
  },
  {
    name: 'mica_upstream_rate_limit_window_seconds',
    help: 'Length of the window that an upstream counts pulls in',
    read: (status) => status.rateLimit?.windowSeconds,
  },
];

const COUNTERS: readonly UpstreamMetric[] = [
  {
    name: 'mica_upstream_requests_total',
    help: 'Requests sent to an upstream',
    read: (status) => status.requests,
  },
  {
    name: 'mica_upstream_failures_total',
    help: 'Requests to an upstream that failed',
    read: (status) => status.failures,
  },
  {
    name: 'mica_upstream_received_bytes_total',
    help: 'Bytes received from an upstream',
    read: (status) => status.bytesReceived,
  },
];

export function addUpstreamMetrics(
  registry: Registry,
  upstreams: () => readonly UpstreamStatus[],
): void {
  const registers = [registry];
  const labelNames = ['upstream'];
  for (const { name, help, read } of GAUGES) {
    const collect = (): void => {
      for (const { upstream, value } of readAll(upstreams(), read)) gauge.set({ upstream }, value);
    };
    const gauge: Gauge<string> = new Gauge({ name, help, labelNames, registers, collect });
  }
  for (const { name, help, read } of COUNTERS) {
    // The upstream counts itself; a counter of prom-client can only be begun anew and raised.
    const collect = (): void => {
      counter.reset();
      for (const { upstream, value } of readAll(upstreams(), read))
        counter.inc({ upstream }, value);
    };
    const counter: Counter<string> = new Counter({ name, help, labelNames, registers, collect });
  }
}

function readAll(
  upstreams: readonly UpstreamStatus[],
  read: UpstreamMetric['read'],
): { readonly upstream: string; readonly value: number }[] {
  return upstreams.flatMap((status) => {
    const value = read(status);
    return value === undefined ? [] : [{ upstream: status.name, value }];
  });
}
