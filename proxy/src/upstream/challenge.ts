// The WWW-Authenticate header: which ways to log in a registry offers.
// Source: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1

export interface Challenge {
  /** In lower case, such as `bearer`. */
  readonly scheme: string;
  /** Names are in lower case; of a name given twice the first value counts. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly token68?: string;
}

/** Longest header that is looked at, in characters: more than twice what registries send, and a bound on the work. */
const MAX_LENGTH = 8192;
/** Registries offer one or two; the bound keeps a hostile header cheap. */
const MAX_CHALLENGES = 16;

const SEPARATORS = /[ \t,]*/y;
const SPACES = /[ \t]*/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy;

/** Reads every challenge of one header or several. What follows a syntax error is left out. */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  const lines = typeof header === 'string' ? [header] : (header ?? []);
  return lines.flatMap((line) => new ChallengeParser(line.slice(0, MAX_LENGTH)).parse());
}

class ChallengeParser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Challenge[] {
    const challenges: Challenge[] = [];
    while (challenges.length < MAX_CHALLENGES) {
      this.#take(SEPARATORS);
      const scheme = this.#take(TOKEN);
      if (scheme === undefined) return challenges;
      const before = this.#position;
      this.#take(SPACES);
      const token68 = this.#position === before ? undefined : this.#take(TOKEN68);
      if (token68 !== undefined) {
        challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map(), token68 });
        continue;
      }
      const parameters = new Map<string, string>();
      const isComplete = this.#parameters(parameters);
      challenges.push({ scheme: scheme.toLowerCase(), parameters });
      if (!isComplete) return challenges;
    }
    return challenges;
  }

  /** Reads `name=value` pairs; false at a syntax error. */
  #parameters(into: Map<string, string>): boolean {
    for (;;) {
      const start = this.#position;
      this.#take(SEPARATORS);
      const name = this.#take(TOKEN)?.toLowerCase();
      if (name === undefined) return this.#position === this.#text.length;
      this.#take(SPACES);
      if (this.#text[this.#position] !== '=') {
        this.#position = start;
        return true;
      }
      this.#position += 1;
      this.#take(SPACES);
      const value = this.#value();
      if (value === undefined) return false;
      if (!into.has(name)) into.set(name, value);
    }
  }

  #value(): string | undefined {
    if (this.#text[this.#position] !== '"') return this.#take(TOKEN);
    const quoted = this.#take(QUOTED);
    return quoted?.slice(1, -1).replace(/\\(.)/gs, '$1');
  }

  /** Moves past what the pattern matches here. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#position += match.length;
    return match;
  }
}
