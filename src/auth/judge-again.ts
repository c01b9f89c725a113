/**
 * What a read has found is told only to who may still hear it: it is judged once more as its answer leaves, because the
 * read may have waited. (No interceptor: a global one would also run for every frame.)
 */
import type { Response } from 'express';

/** `judge` throws the refusal, which is then told instead. Answers that are refusals themselves leave as they are. */
export function judgeAgain(response: Response, judge: () => void): void {
  const json = response.json.bind(response);
  response.json = (body?: unknown) => {
    response.json = json;
    if (response.statusCode < 400) judge();
    return json(body);
  };
}
