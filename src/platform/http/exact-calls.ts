/**
 * The door of REST: only the declared operations exist, and each path has one spelling. Express
 * would match another case, a slash at the end and percent signs too, and what a proxy keeps away
 * from `/v1/admin` would come in by them. A body has to be of the type its call reads: one that is
 * skipped would be a request answered without having been read.
 */
import { MIMEType } from 'node:util';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { DomainError } from '../errors.js';
import type { Operation } from './operation.js';

/**
 * The path of the request target, which may name a host before it (RFC 9112, section 3.2.2),
 * without its query.
 */
const TARGET = /^(?:https?:\/\/[^/?#]*)?(\/[\w.~/-]*)(?:\?[^#]*)?$/;
const JSON_TYPE = 'application/json';

/** By method in upper case: the media type of its body, or null where it takes none. */
type Methods = Map<string, string | null>;

/** Comes after CORS, which leaves OPTIONS to it, and before anything that reads a body. */
export function onlyExactCalls(operations: readonly Operation[]): RequestHandler {
  const methodsAt = pathTable(operations);
  return (request: Request, response: Response, next: NextFunction): void => {
    const methods = methodsAt(pathOf(request.url));
    if (
      request.method === 'OPTIONS' &&
      (methods !== null || request.headers['access-control-request-method'] !== undefined)
    ) {
      if (methods !== null) response.setHeader('Allow', allowed(methods));
      response.status(204).setHeader('Content-Length', '0').end();
      return;
    }
    if (methods === null) throw new DomainError('not_found', { detail: 'no such path' });
    const consumes = methods.get(request.method === 'HEAD' ? 'GET' : request.method);
    if (consumes === undefined) {
      response.setHeader('Allow', allowed(methods));
      throw new DomainError('method_not_allowed');
    }
    requireType(request, consumes);
    next();
  };
}

function pathTable(operations: readonly Operation[]): (path: string) => Methods | null {
  const fixed = new Map<string, Methods>();
  const withNames: { parts: string[]; methods: Methods }[] = [];
  for (const [path, methods] of byPath(operations)) {
    if (path.includes('{')) withNames.push({ parts: path.split('/'), methods });
    else fixed.set(path, methods);
  }
  return (path) =>
    fixed.get(path) ?? withNames.find(({ parts }) => fits(path.split('/'), parts))?.methods ?? null;
}

const fits = (given: string[], parts: string[]): boolean =>
  given.length === parts.length &&
  parts.every((part, i) => (part.startsWith('{') ? given[i] !== '' : given[i] === part));

function byPath(operations: readonly Operation[]): Map<string, Methods> {
  const paths = new Map<string, Methods>();
  for (const { method, path, body, consumes = JSON_TYPE } of operations) {
    const methods = paths.get(path) ?? new Map<string, string | null>();
    paths.set(path, methods.set(method.toUpperCase(), body === undefined ? null : consumes));
  }
  return paths;
}

/**
 * A path that is ours in no spelling is not found; meaningless percent signs cannot be read at all.
 */
function pathOf(url: string): string {
  const path = TARGET.exec(url)?.[1];
  if (path !== undefined) return path;
  try {
    decodeURIComponent(url.split('?', 1)[0]!);
  } catch (error) {
    throw new DomainError('invalid_request', { status: 400, cause: error });
  }
  return '';
}

function allowed(methods: Methods): string {
  return [...methods.keys(), ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}

function requireType({ headers }: Request, consumes: string | null): void {
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0')
    return;
  if (consumes === null) throw unsupported('no body is read here');
  const given = headers['content-type'];
  if (given !== consumes && !isOfType(given ?? '', consumes))
    throw unsupported(`${consumes} in UTF-8 is read here`);
}

function isOfType(given: string, expected: string): boolean {
  try {
    const { essence, params } = new MIMEType(given);
    return essence === expected && (params.get('charset') ?? 'utf-8').toLowerCase() === 'utf-8';
  } catch {
    return false;
  }
}

const unsupported = (message: string) =>
  new DomainError('invalid_request', { status: 415, errors: [{ path: 'Content-Type', message }] });
