// What the fake registry can do wrong, and to which requests.

/** One way to answer wrongly. Sizes and positions are bytes of the body that would have been sent. */
export type Fault =
  /** The right length, one byte of it changed. */
  | { readonly kind: 'wrong-bytes'; readonly at?: number }
  /** Ends after so many bytes: under a Content-Length for all, or as a complete chunked body. */
  | { readonly kind: 'too-few'; readonly after: number; readonly framing: 'length' | 'chunked' }
  /** More bytes than there are, in a complete body. */
  | { readonly kind: 'too-many'; readonly extra: number; readonly framing: 'length' | 'chunked' }
  /** The right body, chunked, without Content-Length. */
  | { readonly kind: 'no-length' }
  /** A login page with status 200. */
  | { readonly kind: 'html' }
  /** Any other answer. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: Uint8Array | string;
    }
  /** 206 whose Content-Range and bytes are `shift` bytes off. */
  | { readonly kind: 'wrong-range'; readonly shift: number }
  /** 200 with everything, whatever the Range. */
  | { readonly kind: 'ignore-range' }
  /**
   * A TCP reset once so many bytes of the body were sent; 0 resets before the headers. What the
   * other end has not taken by then is lost: the reset waits for `until`, else for a moment.
   */
  | { readonly kind: 'reset'; readonly after: number; readonly until?: Promise<void> }
  /** Silence: before the headers, or once so many bytes were sent. Ends when the client goes. */
  | { readonly kind: 'stall'; readonly after: number | 'headers' }
  /** Waits for the promise before the headers, or once so many bytes were sent; then goes on rightly. */
  | { readonly kind: 'hold'; readonly after: number | 'headers'; readonly until: Promise<void> }
  | { readonly kind: 'drip'; readonly bytesPerSecond: number }
  /** Redirects to itself for ever. */
  | { readonly kind: 'redirect-loop' }
  | { readonly kind: 'redirect'; readonly location: string }
  /** 401 that sends the client to another token server. */
  | { readonly kind: 'foreign-realm'; readonly realm: string }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterSeconds?: number }
  /** Docker-Content-Digest left out, or replaced. */
  | { readonly kind: 'no-digest' }
  | { readonly kind: 'other-digest'; readonly digest: string }
  | { readonly kind: 'content-type'; readonly mediaType: string | undefined }
  /** The body gzipped, with Content-Encoding, though nobody asked. */
  | { readonly kind: 'gzip' }
  | { readonly kind: 'huge-headers'; readonly bytes: number };

export type ServerRole = 'registry' | 'token' | 'cdn';

export interface FaultRule {
  /** Text that the path and query contain, or a pattern they match. */
  readonly path: string | RegExp;
  readonly method?: string;
  /** Which of the listeners; the registry itself when absent. */
  readonly role?: ServerRole;
  /** How many requests are hit; all when absent. */
  readonly times?: number;
  /** How many matching requests are let through first. */
  readonly skip?: number;
  readonly fault: Fault;
}

export interface FaultScript {
  /** Returns what takes the rule back. */
  add(rule: FaultRule): () => void;
  clear(): void;
}

interface ActiveRule {
  readonly rule: FaultRule;
  skip: number;
  left: number;
}

/** The rules in force, tried in the order they were added. */
export class FaultRules implements FaultScript {
  #rules: ActiveRule[] = [];

  add(rule: FaultRule): () => void {
    const active = { rule, skip: rule.skip ?? 0, left: rule.times ?? Number.POSITIVE_INFINITY };
    this.#rules.push(active);
    return () => {
      active.left = 0;
    };
  }

  clear(): void {
    this.#rules = [];
  }

  /** The fault for a request, counted as used. */
  take(role: ServerRole, method: string, path: string): Fault | undefined {
    for (const active of this.#rules) {
      if (active.left <= 0 || !matches(active.rule, role, method, path)) continue;
      if (active.skip > 0) {
        active.skip -= 1;
        continue;
      }
      active.left -= 1;
      return active.rule.fault;
    }
    return undefined;
  }
}

function matches(rule: FaultRule, role: ServerRole, method: string, path: string): boolean {
  if ((rule.role ?? 'registry') !== role) return false;
  if (rule.method !== undefined && rule.method !== method) return false;
  return typeof rule.path === 'string' ? path.includes(rule.path) : rule.path.test(path);
}
