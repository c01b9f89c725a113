/** Places in an authority log for tests of what stands on it. */
import type { Position } from '../../src/authority/authority-state.js';

export const at = (n: number, history = 'a history'): Position => ({
  history,
  n,
  hash: `hash ${n} of ${history}`,
});
