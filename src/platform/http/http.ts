/**
 * The layers in front of every controller: proxies, security headers, CORS, exact paths, body
 * limits, one line of log.
 */
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import type { Server } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import { LIMITS } from '@wardroom/protocol/limits';
import { CallTurns } from './call-turns.js';
import { ClientAddresses, networkOf } from './client-address.js';
import type { Config } from '../config/config.js';
import { DomainError } from '../errors.js';
import { onlyExactCalls } from './exact-calls.js';
import { Metrics } from '../metrics.js';
import type { Operation } from './operation.js';
import { requestId } from './problem.filter.js';
import { inRequest } from '../request-context.js';
import { cameInTheClear } from './require-https.js';
import { Tls } from '../tls.js';

/** Room for a body of the largest size with every character escaped. */
const JSON_BYTES = LIMITS.bodyBytes * 6 + 4_096;
const SECURITY_EVENT_BYTES = 64 * 1024;
const USER_AGENT_MAX = 256;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/**
 * Longer than proxies keep an idle connection to us (nginx and AWS 60 s, Envoy and Google up to
 * 75): the proxy is the one that ends it. Ended by us, it would be ended while a request is on its
 * way, which the proxy answers with 502.
 */
const KEEP_ALIVE_MS = 77_000;
/**
 * Connections that wait to be accepted, as far as `net.core.somaxconn` allows. Node's 511 are too
 * few when thousands come back at once: TCP would try the others again only after 1, 3, 7 and 15 s.
 */
const BACKLOG = 65_535;
/** Calls that a stop finds under way may take this much longer. */
const LAST_CALLS_MS = 3_000;

interface HttpParts {
  operations: readonly Operation[];
  /** Adds what is served beside the calls. */
  pages: () => void;
  allowsOrigin: (origin: string) => boolean;
}

export function setUpHttp(
  app: NestExpressApplication,
  config: Config,
  { operations, pages, allowsOrigin }: HttpParts,
): void {
  const metrics = app.get(Metrics);
  metrics.insecureHttp.set(config.allowInsecureHttp ? 1 : 0);
  const addresses = app.get(ClientAddresses);
  const logger = new Logger('Http');
  const turns = new CallTurns();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use((request: Request & { requestId?: string }, response: Response, next: NextFunction) => {
    const id = requestId(request);
    const beganMs = performance.now();
    response.setHeader('X-Request-Id', id);
    response.on('finish', () => {
      const seconds = (performance.now() - beganMs) / 1000;
      metrics.httpSeconds.observe(
        { method: request.method, status: String(response.statusCode) },
        seconds,
      );
      logger.debug({
        msg: 'request',
        request_id: id,
        method: request.method,
        path: request.path,
        status: response.statusCode,
        ms: Math.round(seconds * 1000),
      });
    });
    const ip = addresses.of(request);
    // Express (`@Ip`) uses the one reader, too.
    Object.defineProperty(request, 'ip', { value: ip });
    const { authorization, cookie } = request.headers;
    turns.enter(networkOf(ip), authorization ?? cookie ?? '', (refusal) => {
      // A client that has gone meanwhile needs no answer.
      const context = { requestId: id, ip, userAgent: userAgentOf(request) };
      if (!request.socket.destroyed) inRequest(context, () => next(refusal));
    });
  });
  app.use(
    helmet({
      contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    }),
  );
  app.enableCors({
    origin: (origin: string | undefined, answer: (error: null, allow: boolean) => void) =>
      answer(null, origin !== undefined && allowsOrigin(origin)),
    credentials: true,
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'X-CSRF-Token'],
    exposedHeaders: ['Retry-After', 'X-Request-Id'],
    maxAge: 600,
    preflightContinue: true,
  });
  if (!config.allowInsecureHttp) {
    app.use((request: Request, _response: Response, next: NextFunction) => {
      const clear = cameInTheClear(request.headers) && addresses.cameByProxy(request);
      next(clear ? new DomainError('https_required') : undefined);
    });
  }
  pages();
  app.use(onlyExactCalls(operations));
  app.useBodyParser('json', { limit: JSON_BYTES, strict: true });
  app.useBodyParser('urlencoded', { limit: JSON_BYTES, extended: false });
  app.useBodyParser('text', { limit: SECURITY_EVENT_BYTES, type: 'application/secevent+jwt' });
  const server = app.getHttpServer() as Server;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  if (server instanceof HttpsServer) app.get(Tls).serve(server);
}

/** Cut to what a session row keeps. */
const userAgentOf = ({ headers }: Request): string | null =>
  headers['user-agent']?.slice(0, USER_AGENT_MAX) ?? null;

export async function listen(app: NestExpressApplication, { port, host }: Config): Promise<void> {
  // Nest hands on whatever node:http takes; its type leaves the backlog out.
  const start = app.listen.bind(app) as unknown as (
    port: number,
    host: string,
    backlog: number,
  ) => Promise<unknown>;
  await start(port, host, BACKLOG);
}

/**
 * Stops listening, and everything behind it. A call that hangs, or a connection on which none
 * comes, holds nothing up for long.
 */
export async function close(app: NestExpressApplication): Promise<void> {
  const cut = setTimeout(
    () => (app.getHttpServer() as Server).closeAllConnections(),
    LAST_CALLS_MS,
  );
  await app.close();
  clearTimeout(cut);
}
