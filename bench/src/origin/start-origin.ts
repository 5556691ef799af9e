// Starts the upstream of a benchmark and counts what it sent.
import { readFileSync } from 'node:fs';
import { programPath } from '../clients/client.ts';
import { startChild } from '../lib/child.ts';
import type { Cleanup } from '../lib/cleanup.ts';
import { blobPath, type Image } from '../lib/image.ts';
import { member, parseLine, stringMember } from '../lib/json.ts';
import type { OriginOptions } from './origin.ts';

export interface StartOriginOptions {
  readonly folder: string;
  readonly cleanup: Cleanup;
  readonly image: Image;
  /** Address to listen on. */
  readonly host: string;
  readonly namespace?: string;
}

export interface Sent {
  readonly answers: number;
  readonly bytes: number;
}

export interface Origin {
  readonly url: string;
  /** What was sent of a blob so far; answers that are still under way are not in it. */
  readonly sentOf: (digest: string) => Sent;
  readonly stop: () => Promise<void>;
}

export async function startOrigin(options: StartOriginOptions): Promise<Origin> {
  const { host, image } = options;
  const child = startChild({
    ...options,
    name: 'origin',
    command: [
      process.execPath,
      programPath('origin/origin.js'),
      JSON.stringify({ host, image } satisfies OriginOptions),
    ],
  });
  const url = await child.waitForLine((line) => stringMember(parseLine(line), 'listen'));
  const sentOf = (digest: string): Sent => {
    const lines = readFileSync(child.outLog, 'utf8').split('\n').map(parseLine);
    const sent = lines
      .filter((line) => stringMember(line, 'path')?.split('?')[0] === blobPath(digest))
      .map((line) => Number(member(line, 'sent')));
    return { answers: sent.length, bytes: sent.reduce((sum, bytes) => sum + bytes, 0) };
  };
  return { url, sentOf, stop: child.stop };
}
