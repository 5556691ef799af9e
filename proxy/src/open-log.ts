// The structured log: one JSON object a line, or the same for people.

import { pino } from 'pino';
import type { Config } from './config/config.ts';
import type { Log } from './log.ts';

/** Standard output. */
const STDOUT = 1;

export interface OpenedLog extends Log {
  /** Writes what is still in memory. */
  flush(): Promise<void>;
}

/** Headers that carry secrets; they are never logged on purpose, and so never by accident either. */
const SECRET_FIELDS = ['*.authorization', '*.cookie', '*.password', '*.token'];

/** Opens the log on standard output. Writes never hold up the event loop. */
export function openLog(config: Config['log']): OpenedLog {
  const destination = pino.destination({ fd: STDOUT, sync: false });
  const stream = config.format === 'text' ? asText((line) => destination.write(line)) : destination;
  const options = {
    level: config.level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    timestamp: isoTime(),
  };
  const log = pino(options, stream);
  // Only errors bring fields from elsewhere; looking for secrets in each request's line costs 4 %.
  const careful = pino({ ...options, redact: SECRET_FIELDS }, stream);
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => careful.warn(fields, message),
    error: (fields, message) => careful.error(fields, message),
    flush: () => new Promise((resolve) => destination.flush(() => resolve())),
  };
}

/** The time as a field of a line; formatted once a millisecond. */
function isoTime(): () => string {
  let lastMs = Number.NaN;
  let last = '';
  return () => {
    const nowMs = Date.now();
    if (nowMs !== lastMs) {
      lastMs = nowMs;
      last = `,"time":"${new Date(nowMs).toISOString()}"`;
    }
    return last;
  };
}

/** Turns JSON lines into `time LEVEL message key=value …`. */
function asText(write: (line: string) => void): { write(line: string): void } {
  return { write: (line) => write(formatLine(JSON.parse(line))) };
}

export function formatLine(entry: Readonly<Record<string, unknown>>): string {
  const { level, time, msg, err, ...fields } = entry;
  const words = [String(time), String(level).toUpperCase().padEnd(5), String(msg ?? '')];
  for (const [key, value] of Object.entries(fields)) words.push(`${key}=${formatValue(value)}`);
  const stack = isRecord(err) ? (err['stack'] ?? err['message']) : undefined;
  const trace = stack === undefined ? '' : `\n${String(stack)}`;
  return `${words.join(' ')}${trace}\n`;
}

function formatValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value) ?? '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
