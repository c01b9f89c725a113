/** The public documents under /.well-known/. */
import * as z from 'zod';

export const jwksSchema = z
  .strictObject({
    keys: z.array(
      z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.literal('sig') }),
    ),
  })
  .meta({ id: 'Jwks' });

export const serverMetadataSchema = z
  .strictObject({
    issuer: z.url(),
    jwks_uri: z.url(),
    response_types_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    revocation_endpoint: z.url(),
    revocation_endpoint_auth_methods_supported: z.array(z.string()),
    introspection_endpoint: z.url(),
    introspection_endpoint_auth_methods_supported: z
      .array(z.string())
      .meta({ description: '`Bearer`: an access token of an operator or admin' }),
    service_documentation: z.url().meta({ description: 'OpenAPI of this server' }),
  })
  .meta({ id: 'ServerMetadata' });
export type ServerMetadata = z.infer<typeof serverMetadataSchema>;
