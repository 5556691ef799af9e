// `mica config show`: prints every setting with where it came from, secrets as `***`.

import { Document, isScalar } from 'yaml';
import { type LoadedConfig, loadSettings } from '../config/load.ts';
import { formatKey, formatOrigin, type KeyPath } from '../config/problems.ts';
import { keysAt } from '../config/schema.ts';
import { isMap, type Settings } from '../config/settings.ts';
import { redactUrl } from '../config/upstream-url.ts';
import { reportProblems } from './report-problems.ts';
import { type CommandContext, EXIT_DONE, type ExitCode } from './terminal.ts';

export interface ConfigShowOptions {
  readonly json?: boolean | undefined;
}

const HIDDEN = '***';

export async function configShow(
  context: CommandContext,
  options: ConfigShowOptions = {},
): Promise<ExitCode> {
  const { runtime, configFile, terminal } = context;
  try {
    const loaded = await loadSettings({ runtime, configFile });
    terminal.out(options.json ? renderJson(loaded) : renderYaml(loaded));
    return EXIT_DONE;
  } catch (error) {
    return reportProblems(terminal, error);
  }
}

function renderYaml(loaded: LoadedConfig): string {
  const settings = inOrder(withoutSecrets(loaded.settings));
  const document = new Document(settings, { aliasDuplicateObjects: false });
  for (const path of leafPaths(settings)) {
    const node = document.getIn(path, true);
    if (isScalar(node)) node.comment = ` ${originText(loaded, path)}`;
  }
  return document.toString({ lineWidth: 0 });
}

function renderJson(loaded: LoadedConfig): string {
  const settings = inOrder(withoutSecrets(loaded.settings));
  const origins = leafPaths(settings).map((path) => [formatKey(path), originText(loaded, path)]);
  return `${JSON.stringify({ settings, origins: Object.fromEntries(origins) }, undefined, 2)}\n`;
}

function originText(loaded: LoadedConfig, path: KeyPath): string {
  const { source, line } = loaded.originOf(path);
  return formatOrigin(line === undefined ? { source } : { source, line });
}

/** Passwords hidden, and the user part of proxy URLs. */
function withoutSecrets(settings: Settings): Settings {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => {
      if (isMap(value)) return [key, withoutSecrets(value)];
      if (key === 'password') return [key, HIDDEN];
      return [key, key === 'proxy' && typeof value === 'string' ? redactUrl(value) : value];
    }),
  );
}

/** The settings in the order of the schema, whichever source they came from. */
function inOrder(settings: Settings, path: KeyPath = []): Settings {
  const order = keysAt(path);
  const entries = Object.entries(settings)
    .map(([key, value]) => [key, isMap(value) ? inOrder(value, [...path, key]) : value] as const)
    .sort(([one], [other]) => order.indexOf(one) - order.indexOf(other));
  return Object.fromEntries(entries);
}

function leafPaths(value: unknown, path: KeyPath = []): readonly KeyPath[] {
  if (!isMap(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leafPaths(inner, [...path, key]));
}
