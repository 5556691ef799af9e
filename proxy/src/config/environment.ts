// Settings from environment variables: MICA_ and the path of the key in upper snake case.

import type { KeyPath, Problem } from './problems.ts';
import { hintAt } from './problems.ts';
import { valuePaths } from './schema.ts';
import type { Layer, Settings } from './settings.ts';
import { valueAt } from './settings.ts';
import { readYaml } from './yaml-source.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'MICA_';

/** Variables that are not settings: where the file is, and those of tests, installer and benches. */
const OTHER_VARIABLES = ['MICA_CONFIG'];
const OTHER_PREFIXES = ['MICA_TEST_', 'MICA_INSTALL_', 'MICA_BENCH_'];

export interface ReadEnvironment {
  readonly layer: Layer;
  readonly problems: readonly Problem[];
  /** Whether a variable could not be read, so that its settings are missing from the layer. */
  readonly isIncomplete: boolean;
}

/** `tags.negativeTtl` is MICA_TAGS_NEGATIVE_TTL. */
export function variableName(path: KeyPath): string {
  const words = path.map((part) => String(part).replaceAll(/[A-Z]/g, (letter) => `_${letter}`));
  return PREFIX + words.join('_').toUpperCase();
}

/** Reads every MICA_ variable. An empty one counts as absent, since containers cannot unset any. */
export function readEnvironment(environment: Environment): ReadEnvironment {
  const paths = new Map(valuePaths().map((path) => [variableName(path), path]));
  const names = Object.keys(environment).filter(isSetting);
  const unknown = names.filter((name) => !paths.has(name));
  const problems = unknown.map((name): Problem => unknownVariable(name, [...paths.keys()]));
  let settings: Settings = {};
  let isIncomplete = false;
  for (const [name, path] of paths) {
    const text = environment[name];
    if (text === undefined || text === '') continue;
    const [value, found] = path[0] === 'upstreams' ? readUpstreams(name, text) : [text, []];
    problems.push(...found);
    if (value === undefined) isIncomplete = true;
    else settings = withValue(settings, path, value);
  }
  const locate = (path: KeyPath) => ({ source: nameFor(path, paths) });
  return { layer: { settings, locate }, problems, isIncomplete };

  function isSetting(name: string): boolean {
    if (!name.startsWith(PREFIX) || environment[name] === '') return false;
    if (OTHER_VARIABLES.includes(name)) return false;
    return !OTHER_PREFIXES.some((prefix) => name.startsWith(prefix));
  }
}

function unknownVariable(name: string, known: readonly string[]): Problem {
  return { source: name, message: 'is not a variable of Mica', hint: hintAt(name, known) };
}

function readUpstreams(name: string, text: string): [unknown, readonly Problem[]] {
  const { value, problems } = readYaml({ text, source: name, hasLines: false });
  return [value, problems];
}

/** The variable that sets the value at a path or the nearest value above it. */
function nameFor(path: KeyPath, paths: ReadonlyMap<string, KeyPath>): string {
  for (let length = path.length; length > 0; length -= 1) {
    const name = variableName(path.slice(0, length));
    if (paths.has(name)) return name;
  }
  // A map that only its values are set of, such as TLS without a key: any of them tells the reader.
  const below = [...paths].find(([, candidate]) => candidate[0] === path[0]);
  return below?.[0] ?? PREFIX;
}

function withValue(settings: Settings, path: KeyPath, value: unknown): Settings {
  const [key, ...rest] = path;
  if (key === undefined) return settings;
  const present = valueAt(settings, [key]) as Settings | undefined;
  const inner = rest.length === 0 ? value : withValue(present ?? {}, rest, value);
  return { ...settings, [key]: inner };
}
