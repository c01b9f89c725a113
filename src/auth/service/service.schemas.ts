/** Bodies and answers of the calls of backends (contract section 9). */
import * as z from 'zod';
import { plainText } from '../../platform/zod.js';
import { device, personNameSchema, transport } from '../sign-in/sign-in.schemas.js';

const externalId = plainText(1, 200).meta({ description: 'the id that the other system gives' });
const ofOne = {
  check: (body: { user?: string | undefined; external_id?: string | undefined }) =>
    (body.user === undefined) !== (body.external_id === undefined),
  message: { message: 'exactly one of user and external_id' },
};

export const clientCredentialsBody = z
  .strictObject({ grant_type: z.literal('client_credentials') })
  .meta({ id: 'ClientCredentials' });
export type ClientCredentials = z.infer<typeof clientCredentialsBody>;

export const serviceTokenSchema = z
  .strictObject({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().min(0).meta({ description: 'seconds' }),
  })
  .meta({ id: 'ServiceToken' });
export type ServiceToken = z.infer<typeof serviceTokenSchema>;

export const serviceSessionBody = z
  .strictObject({
    user: z.uuid().optional(),
    external_id: externalId.optional(),
    name: personNameSchema.optional(),
    device,
    transport,
  })
  .refine(ofOne.check, ofOne.message)
  .meta({ id: 'ServiceSessionRequest', examples: [{ external_id: 'customer-17', name: 'Ada' }] });
export type ServiceSessionBody = z.infer<typeof serviceSessionBody>;

export const serviceRevocationBody = z
  .strictObject({ user: z.uuid().optional(), external_id: externalId.optional() })
  .refine(ofOne.check, ofOne.message)
  .meta({ id: 'ServiceRevocation', examples: [{ external_id: 'customer-17' }] });
export type ServiceRevocation = z.infer<typeof serviceRevocationBody>;
