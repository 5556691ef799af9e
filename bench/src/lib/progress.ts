// How far long work has come: one line that is rewritten on a terminal, else a line now and then.

export interface Progress {
  /** One more is done; `text` says what comes next, or what was done. */
  readonly step: (text: string) => void;
  /** Takes the line away. */
  readonly end: () => void;
}

const clearLine = '\r\u001b[K';
/** Lines that are written where there is no terminal. */
const lineCount = 10;

export function startProgress(name: string, total: number): Progress {
  const { stderr } = process;
  const every = Math.max(1, Math.floor(total / lineCount));
  let done = 0;
  return {
    step: (text) => {
      done += 1;
      const line = `${name} ${done} of ${total}: ${text}`;
      if (stderr.isTTY) {
        stderr.write(`${clearLine}${line.slice(0, stderr.columns - 1)}`);
      } else if (done % every === 0) {
        stderr.write(`${line}\n`);
      }
    },
    end: () => {
      if (stderr.isTTY) {
        stderr.write(clearLine);
      }
    },
  };
}
