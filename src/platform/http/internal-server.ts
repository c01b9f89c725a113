/**
 * The listener that the outside must not reach: metrics, and the health checks for whoever runs the
 * node.
 */
import type { INestApplication } from '@nestjs/common';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Config } from '../config/config.js';
import { Metrics } from '../metrics.js';

/** By exact path, beside those every node has. */
export type InternalRoutes = ReadonlyMap<
  string,
  (request: IncomingMessage, response: ServerResponse) => void
>;

const HEALTH = new Set(['/livez', '/readyz']);

export async function serveInternally(
  app: INestApplication,
  config: Config,
  routes: InternalRoutes = new Map(),
  /** Other paths that the application answers here, too. */
  alsoServed: (path: string) => boolean = () => false,
): Promise<Server | null> {
  if (config.internalPort === 0) return null;
  const { registry } = app.get(Metrics);
  const application = app.getHttpAdapter().getInstance() as RequestListener;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '').split('?')[0]!;
    if (path === '/metrics') {
      void registry.metrics().then(
        (text) => response.setHeader('Content-Type', registry.contentType).end(text),
        () => response.writeHead(500).end(),
      );
    } else if (HEALTH.has(path) || alsoServed(path)) application(request, response);
    else {
      const route = routes.get(path);
      if (route === undefined) response.writeHead(404).end();
      else route(request, response);
    }
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(config.internalPort, config.internalHost, resolve),
  );
  return server;
}
