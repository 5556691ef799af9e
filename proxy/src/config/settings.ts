// Settings: the configuration as it is written, before it is checked, and how layers of it combine.

import type { KeyPath, Origin } from './problems.ts';

/** A map of keys to text, numbers, lists and maps, as YAML or JSON gives it. */
export type Settings = Readonly<Record<string, unknown>>;

/** Settings from one source. */
export interface Layer {
  readonly settings: Settings;
  /** Where a key that this layer has was written. */
  locate(path: KeyPath): Origin;
}

export function isMap(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path, undefined where there is none. */
export function valueAt(settings: unknown, path: KeyPath): unknown {
  let value = settings;
  for (const part of path) {
    if (Array.isArray(value) && typeof part === 'number') value = value[part];
    else if (isMap(value) && Object.hasOwn(value, part)) value = value[part];
    else return undefined;
  }
  return value;
}

/** Settings without the key. */
export function withoutKey(settings: Settings, key: string): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => name !== key));
}

/** The layers as one: maps are combined key by key, anything else is replaced by the later layer. */
export function mergeLayers(layers: readonly Layer[]): Settings {
  return layers.reduce<Settings>((merged, layer) => mergeMaps(merged, layer.settings), {});
}

/** Where the value at a path was written; for a missing key, where the map that lacks it was. */
export function originOf(layers: readonly Layer[], path: KeyPath): Origin {
  for (let length = path.length; length >= 0; length -= 1) {
    const part = path.slice(0, length);
    const layer = layers.findLast(({ settings }) => {
      const value = valueAt(settings, part);
      return value !== undefined && (value !== null || length < path.length);
    });
    if (layer !== undefined) return layer.locate(part);
  }
  return { source: 'default' };
}

/** A key without a value in the file (null) counts as not written. */
function mergeMaps(below: Settings, above: Settings): Settings {
  const merged = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    if (value === null) continue;
    const present = merged.get(key);
    merged.set(key, isMap(value) ? mergeMaps(isMap(present) ? present : {}, value) : value);
  }
  return Object.fromEntries(merged);
}
