// How much of a body waits for the check of the whole.

/**
 * Bytes at a blob's end that are handed out only after its digest was found right, so that nobody
 * ever holds a complete wrong blob. More than any buffer on the way would gain nothing; less than a
 * socket's buffer would be as safe, and a client's wait for it is shorter than one disk read.
 */
export const HELD_BACK_TAIL: number = 64 * 1024;
