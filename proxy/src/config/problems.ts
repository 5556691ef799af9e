// What is wrong with a configuration, all of it at once, each problem with the place to mend it.

import { suggest } from './suggest.ts';

/** Where a value was written. */
export interface Origin {
  /** Path of a file, name of an environment variable, or `default`. */
  readonly source: string;
  /** Counted from 1; absent for what is not in a file. */
  readonly line?: number;
  readonly column?: number;
}

/** The keys that lead to a value, outermost first. List items count from 0. */
export type KeyPath = readonly (string | number)[];

export interface Problem extends Origin {
  /** The key as `formatKey` writes it; absent when the source as a whole is wrong. */
  readonly key?: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** A configuration that cannot be used; carries every problem that was found. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(renderProblems(problems));
    this.problems = problems;
  }
}

const PLAIN_KEY = /^[\w-]+$/;

/** `tags.ttl`; keys with dots in brackets: `upstreams["docker.io"].hosts[0]`. */
export function formatKey(path: KeyPath): string {
  let key = '';
  for (const part of path) {
    if (typeof part === 'number') key += `[${part}]`;
    else if (PLAIN_KEY.test(part)) key += key === '' ? part : `.${part}`;
    else key += `[${JSON.stringify(part)}]`;
  }
  return key;
}

/** `mica.yaml:3:1`, `MICA_LISTEN` or `default`. */
export function formatOrigin(origin: Origin): string {
  if (origin.line === undefined) return origin.source;
  const column = origin.column === undefined ? '' : `:${origin.column}`;
  return `${origin.source}:${origin.line}${column}`;
}

/** One problem on one line: place, key, what is wrong, what to do. */
export function renderProblem(problem: Problem): string {
  const key = problem.key === undefined ? '' : `${problem.key}: `;
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  return `${formatOrigin(problem)}: ${key}${problem.message}${hint}`;
}

/** All problems for people, with a line break after each. */
export function renderProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${renderProblem(problem)}\n`);
  return `configuration: ${count}\n${lines.join('')}`;
}

/** `did you mean "listen"?`, else the words there are. */
export function hintAt(word: string, candidates: readonly string[]): string {
  const meant = suggest(word, candidates);
  return meant === undefined ? `known: ${candidates.join(', ')}` : `did you mean ${meant}?`;
}
