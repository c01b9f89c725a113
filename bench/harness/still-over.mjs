export const ATTEMPTS = 3;

/**
 * Whether a ratio is over its ceiling in every attempt. Other work on the machine makes single
 * attempts worse, never all of them better.
 * @param {number} ceiling
 * @param {() => Promise<number>} measure
 */
export async function stillOver(ceiling, measure) {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1)
    if ((await measure()) <= ceiling) return false;
  return true;
}
