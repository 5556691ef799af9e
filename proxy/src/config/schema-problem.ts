// Problems in Mica's words from what zod says of settings.

import { formatKey, hintAt, type KeyPath, type Origin, type Problem } from './problems.ts';
import { keysAt, type SchemaIssue } from './schema.ts';
import { isMap, type Settings, valueAt } from './settings.ts';
import { quoteValue } from './value-error.ts';

/** zod's words for kinds of values, in plain English. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a map'],
  ['record', 'a map'],
]);

/** The problems in one issue: unknown keys come several at a time. */
export function schemaProblems(
  issue: SchemaIssue,
  settings: Settings,
  originOf: (path: KeyPath) => Origin,
): readonly Problem[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => {
      const at = [...path, name];
      const hint = hintAt(name, keysAt(path));
      return { ...originOf(at), key: formatKey(at), message: 'is not a key of Mica', hint };
    });
  }
  const value = valueAt(settings, path);
  return [{ ...originOf(path), key: formatKey(path), ...describe(issue, value) }];
}

function describe(issue: SchemaIssue, value: unknown): { message: string; hint?: string } {
  if (value === undefined) return { message: 'is missing' };
  switch (issue.code) {
    case 'invalid_type':
      // Never the value itself: a password without quotes may look like a number.
      return {
        message: `must be ${KINDS.get(issue.expected) ?? issue.expected}, not ${kindOf(value)}`,
      };
    case 'invalid_union':
      return { message: `${issue.message}, not ${kindOf(value)}` };
    case 'invalid_value': {
      const values = issue.values.map(String);
      const hint =
        typeof value === 'string' ? hintAt(value, values) : `known: ${values.join(', ')}`;
      return { message: `${quoteValue(value)} is not known here`, hint };
    }
    case 'custom': {
      const hint: unknown = issue.params?.['hint'];
      return typeof hint === 'string'
        ? { message: issue.message, hint }
        : { message: issue.message };
    }
    default:
      return { message: issue.message };
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (isMap(value)) return 'a map';
  return KINDS.get(typeof value) ?? typeof value;
}
