// Two hosts joined by one slow link, on this machine: network namespaces `near` and `far` and a
// router between them. Needs root, iproute2 and python3.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Child, inNamespace, startChild } from './child.ts';
import type { Cleanup } from './cleanup.ts';

export interface LinkOptions {
  /** One way. */
  readonly delayMs: number;
  readonly megabitsPerSecond: number;
  readonly folder: string;
  readonly cleanup: Cleanup;
}

export interface Link {
  readonly near: string;
  readonly far: string;
  readonly nearAddress: string;
  readonly farAddress: string;
}

// Addresses exist only inside the namespaces, so they collide with nothing.
const nearAddress = '10.9.0.2';
const farAddress = '10.9.0.1';
const linkProgram = fileURLToPath(new URL('../../../link/link.py', import.meta.url));

const forgetMetrics = 'echo 1 > /proc/sys/net/ipv4/tcp_no_metrics_save';

export class LinkError extends Error {
  readonly code = 'LINK_FAILED';
}

function run(command: readonly string[]): void {
  const [program = '', ...rest] = command;
  const result = spawnSync(program, rest, { encoding: 'utf8' });
  if (result.status !== 0) {
    const why = result.error?.message ?? result.stderr.trim();
    throw new LinkError(`${command.join(' ')}: ${why}`);
  }
}

function addHost(host: string, router: string, port: string, address: string): void {
  run(['ip', '-n', router, 'link', 'add', port, 'type', 'veth', 'peer', 'eth0', 'netns', host]);
  run(['ip', '-n', host, 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
  run(['ip', '-n', host, 'link', 'set', 'eth0', 'up']);
  run(['ip', '-n', router, 'link', 'set', port, 'up']);
  run([...inNamespace(['python3', linkProgram, 'plain', 'eth0'], host)]);
}

/** Builds the link; `cleanup` takes it down. Fails without root. */
export async function openLink(options: LinkOptions): Promise<Link> {
  if (process.getuid?.() !== 0) {
    throw new LinkError('the slow link needs network namespaces: run as root');
  }
  const name = (side: string): string => `mica-bench-${process.pid}-${side}`;
  const [near, far, router] = [name('near'), name('far'), name('router')];
  for (const namespace of [near, far, router]) {
    run(['ip', 'netns', 'add', namespace]);
    options.cleanup.add(() => run(['ip', 'netns', 'del', namespace]));
    run(['ip', '-n', namespace, 'link', 'set', 'lo', 'up']);
    // Else what one pull taught the kernel about the link would help the next one.
    run([...inNamespace(['sh', '-c', forgetMetrics], namespace)]);
  }
  addHost(near, router, 'near0', nearAddress);
  addHost(far, router, 'far0', farAddress);
  run([...inNamespace(['python3', linkProgram, 'plain', 'near0', 'far0'], router)]);
  const child: Child = startChild({
    name: 'link',
    command: [
      // A wire does not wait for a processor.
      'nice',
      '-n',
      '-15',
      'python3',
      linkProgram,
      'join',
      'near0',
      'far0',
      String(options.delayMs),
      String(options.megabitsPerSecond),
    ],
    folder: options.folder,
    cleanup: options.cleanup,
    namespace: router,
    input: 'pipe',
  });
  await child.waitForLine((line) => (line === 'joined' ? true : undefined));
  return { near, far, nearAddress, farAddress };
}
