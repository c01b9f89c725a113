/**
 * Stack traces name lines of the bundle (ADR 0017). A reader of the log wants those of the source:
 * they are looked up here, when a stack is written to the log. Node's `--enable-source-maps` does
 * it whenever a stack is looked at, which Node does itself for each socket that a peer resets.
 */
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

const BUNDLE = new URL('../../main.js', import.meta.url);
const PLACE = new RegExp(
  `${BUNDLE.href.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}:(\\d+):(\\d+)`,
  'g',
);

/** Read for the first error that is logged, 12 MB from then on. */
let map: SourceMap | undefined;

export function inSourceLines(stack: string): string {
  return stack.replace(PLACE, (place, line: string, column: string) => {
    const origin = (map ??= readMap())?.findOrigin(Number(line), Number(column));
    return origin !== undefined && 'fileName' in origin
      ? `${new URL(origin.fileName, BUNDLE).href}:${origin.lineNumber}:${origin.columnNumber}`
      : place;
  });
}

function readMap(): SourceMap | undefined {
  const file = fileURLToPath(new URL(`${BUNDLE.href}.map`));
  return existsSync(file)
    ? new SourceMap(
        JSON.parse(readFileSync(file, 'utf8')) as ConstructorParameters<typeof SourceMap>[0],
      )
    : undefined;
}
