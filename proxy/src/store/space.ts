// Whether there is room for more, under the quota and on the disk.

export interface Space {
  /**
   * Makes room for `size` more bytes, evicting least recently used images if need be, and keeps it
   * until stored() or released() is called with the same size. False when there cannot be room: the
   * caller serves without storing.
   *
   * @param mayEvict What can be done without costs no image.
   */
  admit(size: number, mayEvict?: boolean): Promise<boolean>;
  /** Says that bytes were stored, so that the next decision counts them. */
  stored(size: number): void;
  /** Says that bytes for which there was room will not be stored after all. */
  released(size: number): void;
}
