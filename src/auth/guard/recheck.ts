/**
 * What a read has found is told only to who may still hear it: it is judged once more as its answer
 * leaves, because the read may have waited. (No interceptor: a global one would also run for every
 * frame.)
 */
import type { Request, Response } from 'express';

/** `judge` throws the refusal, which is told instead; a promise is waited for first. */
export function recheckBeforeResponse(
  request: Request,
  response: Response,
  judge: () => void | Promise<void>,
): void {
  const json = response.json.bind(response);
  response.json = (body?: unknown) => {
    response.json = json;
    const waiting = judge();
    if (waiting === undefined) return json(body);
    // Nest has let go of the answer; a refusal reaches its filter by the way of Express.
    waiting.then(
      () => json(body),
      (refusal: unknown) => request.next!(refusal),
    );
    return response;
  };
}
