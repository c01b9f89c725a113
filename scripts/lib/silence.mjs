/**
 * Promise P6 over one run of jest: the verdict that its teardown left beside the logs
 * (test/support/sentinel.mjs).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * True when nothing was found. False also when there is no verdict, or nothing was searched: then
 * nothing was proven.
 */
export function judgeSilence(logs) {
  const file = join(logs, 'sentinel.json');
  if (!existsSync(file)) {
    console.error('The sentinel of silence left no verdict.');
    return false;
  }
  const { secrets, bytes, databases, finds } = JSON.parse(readFileSync(file, 'utf8'));
  console.log(
    `${secrets} secrets were searched in ${(bytes / 1e6).toFixed(1)} MB of logs, metrics, refusals, ${databases} databases and Redis.`,
  );
  for (const [find, times] of Object.entries(finds))
    console.error(`Found: ${find}, ${times} times.`);
  return secrets > 0 && bytes > 0 && Object.keys(finds).length === 0;
}
