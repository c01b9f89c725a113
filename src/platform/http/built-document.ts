/**
 * A public JSON document that changes seldom: written as text once and kept, so that a crowd of
 * readers costs a copy each.
 */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';

export class BuiltDocument {
  private built: { of: string; bytes: Buffer; etag: string } | null = null;

  /** `basis` names what it is built from: built again when that is another. */
  constructor(
    private readonly build: () => object,
    private readonly basis: () => string = () => '',
  ) {}

  /** 304 for who has it already. */
  send(request: Request, response: Response, seconds: number): void {
    const of = this.basis();
    const { bytes, etag } = this.built?.of === of ? this.built : (this.built = this.make(of));
    response.setHeader('Cache-Control', `public, max-age=${seconds}`);
    response.setHeader('ETag', etag);
    if (request.headers['if-none-match'] === etag) response.status(304).end();
    else response.setHeader('Content-Type', 'application/json; charset=utf-8').end(bytes);
  }

  private make(of: string) {
    const bytes = Buffer.from(JSON.stringify(this.build()));
    return {
      of,
      bytes,
      etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    };
  }
}
