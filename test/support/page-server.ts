/** Pages of a test: modules bundled from their sources, and files, at an origin of their own. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from '@jest/globals';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** One module with all it imports, for a browser. */
export async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"development"' },
    logLevel: 'warning',
  });
  return outputFiles[0]!.text;
}

/** Serves the files by their names, to the end of the test file. Answers the origin. */
export async function servePages(files: Record<string, string>): Promise<string> {
  const server = createServer((request, response) => {
    const name = new URL(request.url!, 'http://page').pathname.slice(1) || 'index.html';
    if (files[name] === undefined) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': TYPES[extname(name)] }).end(files[name]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
