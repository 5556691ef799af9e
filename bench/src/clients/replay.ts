// Replays sessions of nodes, each at its time, and times every layer. Each node has an address of its
// own on the loopback network, by which a mirror tells them apart.

import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent } from 'undici';
import { type CorpusImage, loadCorpus } from '../corpus/corpus-file.ts';
import type { Session } from '../store/trace.ts';
import { readOptions, writeResult } from './client.ts';
import { type PulledLayer, pullSession } from './pull-session.ts';

export interface ReplayOptions {
  readonly url: string;
  /** Folder of the corpus. */
  readonly corpus: string;
  /** Path of the sessions as JSON. */
  readonly sessions: string;
}

export interface ReplayResult {
  readonly seconds: number;
  readonly sessions: number;
  readonly layers: readonly PulledLayer[];
  readonly wrong: readonly string[];
}

/** Sessions at once; one more waits for its turn. */
const maxSessions = 8;

class Replay {
  readonly #url: string;
  readonly #images: ReadonlyMap<string, CorpusImage>;
  readonly #agents = new Map<number, Agent>();
  readonly #running = new Set<Promise<void>>();
  readonly layers: PulledLayer[] = [];
  readonly wrong: string[] = [];

  constructor(url: string, images: readonly CorpusImage[]) {
    this.#url = url;
    this.#images = new Map(images.map((image) => [image.manifest, image]));
  }

  async run(sessions: readonly Session[]): Promise<void> {
    const startedAt = performance.now();
    const first = sessions[0]?.startMs ?? 0;
    for (const session of sessions) {
      const dueMs = session.startMs - first - (performance.now() - startedAt);
      await wait(Math.max(0, dueMs));
      while (this.#running.size >= maxSessions) {
        await Promise.race(this.#running);
      }
      const running = this.#pull(session).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
    await Promise.all(this.#running);
  }

  async close(): Promise<void> {
    for (const agent of this.#agents.values()) {
      await agent.close();
    }
  }

  async #pull(session: Session): Promise<void> {
    const image = this.#images.get(session.manifest);
    if (image === undefined) {
      throw new Error(`no image ${session.manifest}`);
    }
    const wanted = new Set(session.layers);
    const layers = image.layers.filter(({ digest }) => wanted.delete(digest));
    const dispatcher = this.#agentOf(session.client);
    const { url, gapMs } = { url: this.#url, ...session };
    const pulled = await pullSession({ url, image, layers, gapMs, dispatcher });
    this.layers.push(...pulled.layers);
    this.wrong.push(...pulled.wrong);
  }

  #agentOf(client: number): Agent {
    const known = this.#agents.get(client);
    if (known !== undefined) {
      return known;
    }
    // All of 127.0.0.0/8 is this machine.
    const agent = new Agent({ localAddress: `127.1.${(client >> 8) & 255}.${client & 255}` });
    this.#agents.set(client, agent);
    return agent;
  }
}

const options = readOptions<ReplayOptions>();
const sessions: readonly Session[] = JSON.parse(await readFile(options.sessions, 'utf8'));
const replay = new Replay(options.url, await loadCorpus(options.corpus));
const startedAt = performance.now();
await replay.run(sessions);
const { layers, wrong } = replay;
const seconds = (performance.now() - startedAt) / 1e3;
writeResult({ seconds, sessions: sessions.length, layers, wrong } satisfies ReplayResult);
await replay.close();
