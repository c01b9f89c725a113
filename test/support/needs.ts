/**
 * Needs that a machine or a run may lack: their tests are skipped there, and the reason is printed.
 */
import { describe, test } from '@jest/globals';

interface Need {
  met: boolean;
  /** Goes on after "Skipped, because ". */
  reason: string;
}

export const describeWith = (need: Need, what: string) =>
  isMet(need, what) ? describe : describe.skip;
export const testWith = (need: Need, what: string) => (isMet(need, what) ? test : test.skip);

function isMet({ met, reason }: Need, what: string): boolean {
  // Not console.log: Jest throws away what a file logged of which every test is skipped.
  if (!met) process.stderr.write(`Skipped, because ${reason}: ${what}\n`);
  return met;
}
