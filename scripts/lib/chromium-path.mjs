/** Where a Chromium is on this machine. */
import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The absolute path of `CHROMIUM`, or of the first one on PATH; undefined: there is none. */
export function onPath() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const wanted = process.env.CHROMIUM ? [process.env.CHROMIUM] : NAMES;
  return wanted
    .flatMap((name) => [name, ...folders.map((folder) => join(folder, name))])
    .find((path) => isAbsolute(path) && existsSync(path));
}
