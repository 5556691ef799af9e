// What the person at the terminal got wrong; the program ends with 2.

export class UsageError extends Error {
  override readonly name = 'UsageError';
}
