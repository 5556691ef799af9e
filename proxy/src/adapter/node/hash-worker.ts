// The thread that hashes files while they grow. Its reads block, since it has nothing else to do; jobs
// take turns of one read each, so that a large file does not keep small ones waiting.

import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { HashReply, HashRequest } from './hash-messages.ts';

/** Bytes of one turn: 0.6 ms of SHA-256, so that a hundred files wait 60 ms for each other at most. */
const TURN_SIZE = 1024 * 1024;

interface Job {
  readonly id: number;
  readonly path: string;
  readonly hash: Hash;
  /** Open from the first byte that is there until the end of the job. */
  descriptor: number | undefined;
  hashed: number;
  length: number;
  /** Length last said to the asker. */
  said: number;
  finishing: boolean;
}

const jobs: Map<number, Job> = new Map();
const buffer: Uint8Array = new Uint8Array(TURN_SIZE);
let running = false;

function say(reply: HashReply): void {
  parentPort?.postMessage(reply);
}

function end(job: Job): void {
  jobs.delete(job.id);
  if (job.descriptor !== undefined) closeSync(job.descriptor);
}

function fail(job: Job, code: string, message: string): void {
  end(job);
  say({ kind: 'failed', id: job.id, code, message });
}

/** Hashes the next bytes of a job; throws the file system's error. */
function hashNext(job: Job): void {
  job.descriptor ??= openSync(job.path, 'r');
  const wanted = Math.min(TURN_SIZE, job.length - job.hashed);
  const count = readSync(job.descriptor, buffer, 0, wanted, job.hashed);
  if (count === 0) {
    fail(job, 'SHORT', `${job.path} ends at ${job.hashed}, expected ${job.length} bytes`);
    return;
  }
  job.hash.update(buffer.subarray(0, count));
  job.hashed += count;
}

function settle(job: Job): void {
  if (job.hashed < job.length || !jobs.has(job.id)) return;
  if (job.said < job.hashed) say({ kind: 'hashed', id: job.id, length: job.hashed });
  job.said = job.hashed;
  if (!job.finishing) return;
  end(job);
  say({ kind: 'finished', id: job.id, hex: job.hash.digest('hex') });
}

function takeTurn(job: Job): void {
  try {
    if (job.hashed < job.length) hashNext(job);
    settle(job);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
    fail(job, code, error instanceof Error ? error.message : String(error));
  }
}

/** Gives every job that has bytes left one turn, then lets messages in, until nothing is left. */
function runTurns(): void {
  running = false;
  for (const job of jobs.values()) takeTurn(job);
  for (const job of jobs.values()) {
    if (job.hashed < job.length) {
      run();
      return;
    }
  }
}

function run(): void {
  if (running) return;
  running = true;
  setImmediate(runTurns);
}

function accept(request: HashRequest): void {
  if (request.kind === 'open') {
    const { id, path, algorithm } = request;
    const hash = createHash(algorithm);
    const counts = { hashed: 0, length: 0, said: 0, finishing: false };
    jobs.set(id, { id, path, hash, descriptor: undefined, ...counts });
    return;
  }
  const job = jobs.get(request.id);
  // A job that failed was forgotten here while the asker's message was under way.
  if (job === undefined) return;
  if (request.kind === 'close') end(job);
  else if (request.kind === 'extend') job.length = Math.max(job.length, request.length);
  else job.finishing = true;
  run();
}

parentPort?.on('message', accept);
