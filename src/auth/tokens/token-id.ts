/**
 * `jti`: a UUIDv7 whose last 32 random bits are the refresh generation the access token was minted
 * with. So a node that accepts the token knows, without a claim or a look-up, that this
 * generation's refresh token reached its client.
 */
import { newId } from '../../platform/ids.js';

const DIGITS = 8;

export function newTokenId(generation: number): string {
  return newId().slice(0, -DIGITS) + (generation >>> 0).toString(16).padStart(DIGITS, '0');
}

export function generationOf(jti: string): number {
  return Number.parseInt(jti.slice(-DIGITS), 16);
}

/** No refresh token goes with it: the credential of a service account. */
export const SERVICE_GENERATION = 0;
export const isOfService = (jti: string): boolean => generationOf(jti) === SERVICE_GENERATION;
