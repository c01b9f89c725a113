import { CoreClient } from './client.js';
import type { ClientOptions } from './options.js';
import { Api } from './rest/api.js';

/** The client: one connection that is kept up and kept authenticated, and the rooms over it. */
export class WardroomClient extends CoreClient {
  /** The REST calls of an application, typed. */
  readonly api: Api;

  constructor(options: ClientOptions) {
    super(options);
    this.api = new Api((path, call) => this.rest(path, call));
  }
}
