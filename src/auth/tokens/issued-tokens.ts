import type { Principal } from '../../sessions/principal.js';
import type { MintedToken } from './access-token.js';

/** The tokens that a login, registration, guest entry or refresh hands out. */
export interface IssuedTokens {
  principal: Principal;
  access: MintedToken;
  refreshToken: string;
  sessionExpiresAtMs: number;
}
