// Whether there is room for more, under the quota and on the disk.

export interface Space {
  /**
   * Makes room for `size` more bytes, evicting least recently used images if need be. False when
   * there cannot be room: the caller serves without storing.
   */
  admit(size: number): Promise<boolean>;
  /** Says that bytes were stored, so that the next decision counts them. */
  stored(size: number): void;
}
