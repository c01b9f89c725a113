/**
 * The pages that a node serves: files that the build made in dist/public/. A page may load scripts,
 * styles and pictures of this node and nothing else; no HTML file is ever kept by a browser, what
 * has a hash in its name is kept for ever.
 */
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import { readFileSync, readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../platform/config/config.js';
import { readPagePath } from './page-path.js';
import type { PageName } from './page-path.js';

const FOLDER = fileURLToPath(new URL('../public/', import.meta.url));
const YEAR_MS = 365 * 86_400_000;
/** Types of the files that the build compresses. The better form is the first. */
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};
const PACKED = [
  { encoding: 'br', ending: '.br' },
  { encoding: 'gzip', ending: '.gz' },
] as const;
/** A host as a browser sends it. Anything else could end the directive and begin another. */
const HOST = /^[\w.-]+(:\d{1,5})?$|^\[[0-9a-f:]+\](:\d{1,5})?$/i;

export function serveWeb(app: NestExpressApplication, config: Config): void {
  if (config.web === 'off') return;
  const kept = new Map<PageName, string>();
  app.use('/assets/', sendPacked());
  app.useStaticAssets(`${FOLDER}assets`, {
    prefix: '/assets/',
    index: false,
    immutable: true,
    maxAge: YEAR_MS,
    redirect: false,
  });
  app.use((request: Request, response: Response, next: NextFunction) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    if (request.path === '/' && !config.tryPage)
      return response.setHeader('Cache-Control', 'no-store').redirect('./chat');
    const path = readPagePath(request.path);
    if (path === null || !isServedHere(path.page, request, config)) return next();
    // In development the pages may be built again beside a node that runs.
    const html = (config.production ? kept.get(path.page) : undefined) ?? readPage(path.page);
    kept.set(path.page, html);
    const page = Buffer.from(html.replaceAll('="./', `="./${'../'.repeat(path.depth)}`));
    response
      .setHeader('Content-Type', 'text/html; charset=utf-8')
      .setHeader('Cache-Control', 'no-cache, no-store')
      .setHeader(
        'Content-Security-Policy',
        policy(path.page === 'try' ? reachable(config, request.headers.host ?? '') : []),
      )
      .setHeader('Content-Length', page.length)
      .end(request.method === 'HEAD' ? undefined : page);
  });
}

/** Leads a browser that can unpack them to the files that the build has compressed. */
function sendPacked(): (request: Request, response: Response, next: NextFunction) => void {
  const files = new Set(readdirSync(`${FOLDER}assets`));
  return (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const name = request.path.slice(1);
    const type = TYPES[extname(name)];
    const form = PACKED.find(
      ({ encoding, ending }) =>
        files.has(name + ending) && request.acceptsEncodings(encoding) === encoding,
    );
    if (type !== undefined) response.vary('Accept-Encoding');
    if (type === undefined || form === undefined) return next();
    response.setHeader('Content-Type', type).setHeader('Content-Encoding', form.encoding);
    request.url = `/${name}${form.ending}`;
    next();
  };
}

/** Paths that the application answers on the internal listener, too: the console needs them. */
export function isInternalPage(config: Config): (path: string) => boolean {
  if (config.web !== 'internal') return () => false;
  return (path) => /^\/(?:console(?:\/|$)|assets\/|v1\/)/.test(path);
}

const readPage = (page: PageName): string => readFileSync(`${FOLDER}${page}.html`, 'utf8');

/** With `WEB=internal` the console is a page of the internal listener alone. */
function isServedHere(page: PageName, { socket }: Request, config: Config): boolean {
  if (page === 'try') return config.tryPage;
  const isInternal = socket.localPort === config.internalPort;
  return page !== 'console' || config.web !== 'internal' || isInternal;
}

/** design: no third party, no inline script or style, no frame around it. */
function policy(alsoReached: string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    `connect-src ${["'self'", ...alsoReached].join(' ')}`,
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/**
 * The try-out page speaks to every node of the try-out, and to their internal listeners. Not every
 * browser counts `ws:` as `'self'`.
 */
function reachable(config: Config, host: string): string[] {
  const own = HOST.test(host)
    ? [
        `ws://${host}`,
        `http://${host.replace(/(?<=[^:\]]|\])(:\d+)?$/, '')}:${config.internalPort}`,
      ]
    : [];
  const others = (config.tryNodes ?? []).flatMap(({ url, internal_url }) => [
    url,
    url.replace(/^http/, 'ws'),
    ...(internal_url === null ? [] : [internal_url]),
  ]);
  return [...new Set([...own, ...others])];
}
