/** Which page a path names. A page has deep paths of its own, e.g. `/chat/lobby`. */
export type PageName = 'try' | 'chat' | 'console' | 'docs';

/** `depth`: folders between the root and the page, so that its relative links find the root. */
export function readPagePath(path: string): { page: PageName; depth: number } | null {
  if (path === '/') return { page: 'try', depth: 0 };
  const match = /^\/(chat|console|docs)(\/[\w.~/-]*)?$/.exec(path);
  if (match === null) return null;
  return { page: match[1] as PageName, depth: (match[2] ?? '').split('/').length - 1 };
}
