/** `seq` of one room is strictly increasing and has no gap, so the last one seen decides. */
export function judgeSeq(last: number | undefined, seq: number): 'next' | 'duplicate' | 'gap' {
  if (last === undefined || seq === last + 1) return 'next';
  return seq <= last ? 'duplicate' : 'gap';
}
