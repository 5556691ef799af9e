// Settings from YAML text (JSON is YAML too), with the line of each key.

import type { Document, YAMLError } from 'yaml';
import { isMap as isMapNode, isNode, isPair, LineCounter, parseDocument, visit } from 'yaml';
import type { KeyPath, Origin, Problem } from './problems.ts';
import { isMap, type Layer } from './settings.ts';

export interface YamlText {
  readonly text: string;
  /** File name, or name of an environment variable. */
  readonly source: string;
  /** Whether to tell lines and columns: of a file, not of a variable. */
  readonly hasLines: boolean;
}

export interface ReadYaml {
  /** The value as a whole; undefined when the text cannot be made out. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  locate(path: KeyPath): Origin;
}

/** Keys that occur twice leave the rest of the text readable; other errors do not. */
const HARMLESS = new Set(['DUPLICATE_KEY']);

/** Reads YAML 1.2 and collects its syntax errors. An empty text is null. */
export function readYaml({ text, source, hasLines }: YamlText): ReadYaml {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'silent' });
  const originAt = (offset: number): Origin => {
    if (!hasLines) return { source };
    const { line, col } = lineCounter.linePos(offset);
    return { source, line, column: col };
  };
  const problems = document.errors.map((error) => ({
    ...originAt(error.pos[0]),
    message: describeError(error),
  }));
  const isReadable = document.errors.every(({ code }) => HARMLESS.has(code));
  const locate = (path: KeyPath) => originAt(offsetOf(document, path));
  if (!isReadable) return { value: undefined, problems, locate };
  try {
    return { value: document.toJS(), problems, locate };
  } catch {
    const wrong = { ...originAt(unresolvedAlias(document)), ...ALIAS_PROBLEM };
    return { value: undefined, problems: [...problems, wrong], locate };
  }
}

/** An alias without its anchor, or more aliases than the parser is willing to expand. */
const ALIAS_PROBLEM = {
  message: 'has an alias that cannot be resolved',
  hint: 'quote values that begin with *',
} as const;

/** Where the first alias without an anchor is; 0 when it is their number that is wrong. */
function unresolvedAlias(document: Document): number {
  let offset = 0;
  visit(document, {
    Alias: (_, node) => {
      if (node.resolve(document) !== undefined) return undefined;
      offset = node.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

/** The settings in a text that must hold a map; an empty text has none. */
export function mapLayer(read: ReadYaml, source: string): Layer | Problem {
  const { value, locate } = read;
  if (value === null) return { settings: {}, locate };
  if (isMap(value)) return { settings: value, locate };
  return { source, message: 'must hold a map of keys and values' };
}

/** The parser's message without the text it quotes, which may be part of a secret. */
function describeError(error: YAMLError): string {
  const message = error.message.replace(/(?:: |\\).*$/s, '');
  return `is not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

/** Where the key at a path starts, or the item of a list; as near above as there is one. */
function offsetOf(document: Document, path: KeyPath): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    const pair = isMapNode(parent)
      ? parent.items.find((item) => isPair(item) && String(item.key) === key)
      : undefined;
    const node = pair?.key ?? document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
