import { WardroomError } from '../errors.js';
import type { Credential, TakeToken } from '../session/token-source.js';
import type { Caller, Rest, RestCall } from './rest.js';

/**
 * Calls with the tokens of an application's `getToken`. Refused with `refresh`, it calls once more
 * with a newer one. A ticket is no token: cookies then.
 */
export class TokenCaller implements Caller {
  constructor(
    private readonly rest: Rest,
    private readonly take: TakeToken,
    /** The server knows nobody behind the token any more. */
    private readonly signedOut: (why: WardroomError) => void,
  ) {}

  async call<T>(path: string, call: RestCall = {}): Promise<T> {
    try {
      const credential = await this.take('connect', undefined);
      try {
        return await this.#with<T>(credential, path, call);
      } catch (error) {
        if (typeof credential !== 'string' || !(error instanceof WardroomError)) throw error;
        if (error.action !== 'refresh') throw error;
      }
      return await this.#with<T>(await this.take('rejected', credential), path, call);
    } catch (error) {
      if (error instanceof WardroomError && error.action === 'login') this.signedOut(error);
      throw error;
    }
  }

  #with<T>(credential: Credential, path: string, call: RestCall): Promise<T> {
    const token = typeof credential === 'string' ? credential : undefined;
    return this.rest.call<T>(path, call, { token, cookies: token === undefined });
  }
}
