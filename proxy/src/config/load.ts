// Loads the configuration: built-in defaults, under the file, under the environment.

import type { Runtime } from '../runtime/runtime.ts';
import { checkSettings } from './checks.ts';
import type { Config } from './config.ts';
import { defaultSettings, UPSTREAM_DEFAULTS } from './defaults.ts';
import { readEnvironment } from './environment.ts';
import { parentFolder, resolvePath } from './paths.ts';
import { ConfigError, formatKey, type KeyPath, type Origin, type Problem } from './problems.ts';
import { checkFiles, withAbsolutePaths } from './referenced-files.ts';
import { parseSettings } from './schema.ts';
import { schemaProblems } from './schema-problem.ts';
import { isMap, type Layer, mergeLayers, originOf, type Settings, withoutKey } from './settings.ts';
import { mapLayer, readYaml } from './yaml-source.ts';

export interface LoadOptions {
  readonly runtime: Runtime;
  /** The `--config` option; else MICA_CONFIG, else mica.yaml in the working folder if it is there. */
  readonly configFile?: string | undefined;
}

/** The configuration with what it was made from. */
export interface LoadedConfig {
  readonly config: Config;
  /** The same in the form of the file, nothing left out, secrets included. */
  readonly settings: Settings;
  /** The file that was read, as it was named. */
  readonly file?: string;
  originOf(path: KeyPath): Origin;
}

const DEFAULT_FILE = 'mica.yaml';

const DEFAULT_ORIGIN: Origin = { source: 'default' };

/** Loads and checks the configuration; rejects with ConfigError, which has every problem. */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  return (await loadSettings(options)).config;
}

/** As `loadConfig`, with the settings and where each came from. */
export async function loadSettings(options: LoadOptions): Promise<LoadedConfig> {
  const { runtime } = options;
  const file = await readFile(options);
  const environment = readEnvironment(runtime.environment);
  const layers = withUpstreamDefaults([
    { settings: defaultSettings(runtime), locate: () => DEFAULT_ORIGIN },
    file.layer,
    absoluteLayer(environment.layer, runtime.workingDirectory),
  ]);
  const settings = mergeLayers(layers);
  const originAt = (path: KeyPath) => originOf(layers, path);
  const parsed = parseSettings(settings);
  const problems = [...file.problems, ...environment.problems];
  if ('issues' in parsed) {
    problems.push(...parsed.issues.flatMap((issue) => schemaProblems(issue, settings, originAt)));
  }
  // What a broken file or variable would have set is unknown: do not complain of what seems to lack.
  if (!file.isIncomplete && !environment.isIncomplete) {
    const complaints = [...checkSettings(settings), ...(await checkFiles(settings, runtime.files))];
    problems.push(
      ...complaints.map(({ path, ...rest }) => ({
        ...originAt(path),
        key: formatKey(path),
        ...rest,
      })),
    );
  }
  if (problems.length > 0 || 'issues' in parsed) throw new ConfigError(sortProblems(problems));
  const name = file.name === undefined ? {} : { file: file.name };
  return { config: parsed.config, settings, ...name, originOf: originAt };
}

interface ReadFile {
  /** As it was named by the user; absent when there is no file. */
  readonly name?: string;
  readonly layer: Layer;
  readonly problems: readonly Problem[];
  readonly isIncomplete: boolean;
}

const EMPTY_LAYER: Layer = { settings: {}, locate: () => DEFAULT_ORIGIN };

async function readFile({ runtime, configFile }: LoadOptions): Promise<ReadFile> {
  const variable = runtime.environment['MICA_CONFIG'];
  const named = configFile ?? (variable === '' ? undefined : variable);
  const name = named ?? DEFAULT_FILE;
  const path = resolvePath(runtime.workingDirectory, name);
  if (named === undefined && (await runtime.files.stat(path)) === undefined) {
    return { layer: EMPTY_LAYER, problems: [], isIncomplete: false };
  }
  let text: string;
  try {
    text = await runtime.files.readText(path);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return brokenFile(name, [{ source: name, message: `cannot be read: ${reason}` }]);
  }
  const read = readYaml({ text, source: name, hasLines: true });
  if (read.value === undefined) return brokenFile(name, read.problems);
  const layer = mapLayer(read, name);
  if ('message' in layer) return brokenFile(name, [...read.problems, layer]);
  const absolute = absoluteLayer(layer, parentFolder(path));
  return { name, layer: absolute, problems: read.problems, isIncomplete: false };
}

function brokenFile(name: string, problems: readonly Problem[]): ReadFile {
  return { name, layer: EMPTY_LAYER, problems, isIncomplete: true };
}

function absoluteLayer(layer: Layer, base: string): Layer {
  return { ...layer, settings: withAbsolutePaths(layer.settings, base) };
}

/**
 * Keeps only the topmost list of upstreams, which is closed, and puts the defaults of a single
 * upstream under each of its entries.
 */
function withUpstreamDefaults(layers: readonly Layer[]): readonly Layer[] {
  const top = layers.findLast(({ settings }) => Object.hasOwn(settings, 'upstreams'));
  const upstreams = top?.settings['upstreams'] ?? {};
  const names = isMap(upstreams) ? Object.keys(upstreams) : [];
  const defaults = Object.fromEntries(names.map((name) => [name, UPSTREAM_DEFAULTS]));
  const below: Layer = { settings: { upstreams: defaults }, locate: () => DEFAULT_ORIGIN };
  const kept = layers.map((layer): Layer => {
    if (layer === top) return { ...layer, settings: { ...layer.settings, upstreams } };
    return { ...layer, settings: withoutKey(layer.settings, 'upstreams') };
  });
  return [below, ...kept];
}

/** In the order in which they are mended: source by source, from the top down. */
function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  const sources = [...new Set(problems.map(({ source }) => source))];
  return problems.toSorted(
    (one, other) =>
      sources.indexOf(one.source) - sources.indexOf(other.source) ||
      (one.line ?? 0) - (other.line ?? 0) ||
      (one.column ?? 0) - (other.column ?? 0),
  );
}
