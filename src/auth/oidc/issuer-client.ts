/**
 * This service as a client of an external issuer: the authorization code flow with PKCE, state and
 * nonce (OpenID Connect Core 1.0, section 3.1; RFC 7636, RFC 9207). The ID token that comes out is
 * verified like any other (issuers.ts).
 */
import { Logger } from '@nestjs/common';
import * as client from 'openid-client';
import * as z from 'zod';
import type { Issuer } from '../../platform/config/issuers-file.js';
import { DomainError } from '../../platform/errors.js';
import { IssuerUnavailable, boundedFetch } from './bounded-fetch.js';
import type { IssuerMetadata, Metadata } from './issuer-metadata.js';

/** Carried along on the browser's way to the issuer and back. */
export interface Secrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export const newSecrets = (): Secrets => ({
  state: client.randomState(),
  nonce: client.randomNonce(),
  verifier: client.randomPKCECodeVerifier(),
});

export interface Identification {
  readonly idToken: string;
  /**
   * Claims that some issuers tell only when they are asked for them (OpenID Connect Core 1.0,
   * section 5.4).
   */
  readonly profile?: Readonly<Record<string, unknown>>;
}

/** An issuer that has a button. */
export type SignInIssuer = Issuer & {
  readonly client_id: string;
  readonly sign_in: NonNullable<Issuer['sign_in']>;
};

export const hasSignIn = (entry: Issuer): entry is SignInIssuer =>
  entry.sign_in !== undefined && entry.client_id !== undefined;

export class IssuerClient {
  private readonly logger = new Logger(IssuerClient.name);
  private made: { metadata: Metadata; configuration: client.Configuration } | null = null;

  constructor(
    private readonly entry: SignInIssuer,
    private readonly metadata: IssuerMetadata,
  ) {}

  get issuer(): string {
    return this.entry.issuer;
  }

  get label(): string {
    return this.entry.sign_in.label;
  }

  /** Where the browser goes. Throws `unavailable`. */
  async authorizationUrl(secrets: Secrets, redirectUri: string, fresh: boolean): Promise<string> {
    try {
      return client.buildAuthorizationUrl(await this.configuration(), {
        redirect_uri: redirectUri,
        scope: this.entry.sign_in.scope,
        state: secrets.state,
        nonce: secrets.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(secrets.verifier),
        code_challenge_method: 'S256',
        // With it the issuer has to say `auth_time` (OpenID Connect Core 1.0, section 3.1.2.1).
        ...(fresh && { max_age: '0' }),
      }).href;
    } catch (error) {
      throw this.refusalOf(error);
    }
  }

  /**
   * `answer` is the address that the browser came back to. Throws `auth_invalid` or `unavailable`.
   */
  async redeem(answer: URL, { state, nonce, verifier }: Secrets): Promise<Identification> {
    try {
      const configuration = await this.configuration();
      const tokens = await client.authorizationCodeGrant(configuration, answer, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
      });
      const claims = tokens.claims()!;
      const isTold = this.entry.claims.email in claims;
      return {
        idToken: tokens.id_token!,
        profile:
          isTold || configuration.serverMetadata().userinfo_endpoint === undefined
            ? {}
            : this.profileOf(
                await client.fetchUserInfo(configuration, tokens.access_token, claims.sub),
              ),
      };
    } catch (error) {
      throw this.refusalOf(error);
    }
  }

  /** Those claims that describe a person: none that says who it is, for whom, or until when. */
  private profileOf(userInfo: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const { email, name, role } = this.entry.claims;
    const names = [email, 'email_verified', name, ...(role === undefined ? [] : [role])];
    return Object.fromEntries(names.map((claim) => [claim, userInfo[claim]]));
  }

  private async configuration(): Promise<client.Configuration> {
    const metadata = await this.metadata.get();
    if (this.made?.metadata !== metadata)
      this.made = { metadata, configuration: this.configure(metadata) };
    return this.made.configuration;
  }

  private configure(metadata: Metadata): client.Configuration {
    const { client_id: id, sign_in: signIn, issuer, algorithms } = this.entry;
    const { success, data } = endpointsSchema.safeParse(metadata);
    if (!success) throw new IssuerUnavailable(`${issuer}: its endpoints are missing or no URLs`);
    const endpoints = [data.authorization_endpoint, data.token_endpoint, data.userinfo_endpoint];
    const isHttps = issuer.startsWith('https:');
    if (isHttps && endpoints.some((url) => url?.startsWith('https:') === false))
      throw new IssuerUnavailable(`${issuer}: an endpoint without https`);
    const configuration = new client.Configuration(
      {
        issuer,
        ...data,
        id_token_signing_alg_values_supported: algorithms,
      } as client.ServerMetadata,
      id,
      undefined,
      authentication(data.token_endpoint_auth_methods_supported, signIn.client_secret),
    );
    // http is refused in production (config-rules.ts).
    if (!isHttps) client.allowInsecureRequests(configuration);
    configuration[client.customFetch] = (url, init) => boundedFetch(url, init as RequestInit);
    return configuration;
  }

  private refusalOf(error: unknown): DomainError {
    const { issuer } = this.entry;
    const causes = causesOf(error);
    const message = causes.map((cause) => [...saidBy(cause), cause.message].join(' ')).join(': ');
    if (causes.some(isWrong))
      return new DomainError('auth_invalid', { detail: message, cause: error });
    this.logger.warn({ msg: 'an issuer could not be asked', issuer, error: message });
    return new DomainError('unavailable', { detail: message, cause: error });
  }
}

const endpoint = z.url({ protocol: /^https?$/ });
const endpointsSchema = z.object({
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  userinfo_endpoint: endpoint.optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).default(['client_secret_basic']),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
});

/** OpenID Connect Core 1.0, section 9: `client_secret_basic` is the rule. */
function authentication(methods: readonly string[], secret: string | undefined): client.ClientAuth {
  if (secret === undefined) return client.None();
  return methods.includes('client_secret_basic')
    ? client.ClientSecretBasic(secret)
    : client.ClientSecretPost(secret);
}

/** A claim that is not as it has to be. */
const WRONG_CLAIMS: readonly unknown[] = [
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
];

/** The code or its token is no good. All else is trouble of the issuer, or of our configuration. */
const isWrong = (cause: Error): boolean =>
  (cause instanceof client.ResponseBodyError && cause.error === 'invalid_grant') ||
  ('code' in cause && WRONG_CLAIMS.includes(cause.code));

/** The issuer's own word for it. */
const saidBy = (cause: Error): string[] =>
  cause instanceof client.ResponseBodyError ? [cause.error.slice(0, 64)] : [];

function causesOf(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}
