/** A condition that must hold; `seen` says what was there instead. */
export function must(holds: boolean, seen: string): void {
  if (!holds) throw new Error(seen);
}

/** The reason why the rest of a drill cannot run here. */
export class Skip extends Error {}
