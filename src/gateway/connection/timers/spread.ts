/**
 * Whole milliseconds up to `overMs`, at random: what is told to many at once must not bring them
 * back at once.
 */
export const spread = (overMs: number): number => Math.ceil(Math.random() * overMs);
