/** The server of this page: scripts are in `assets/` below it, also behind a path prefix. */
const UP = '../';

/** With a slash at its end. */
export const baseUrl = (script: string): string => new URL(UP, script).href;
