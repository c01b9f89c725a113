/** Service accounts as operators and admins see them (contract section 9). */
import * as z from 'zod';
import { personNameSchema } from '../../auth/sign-in/sign-in.schemas.js';
import { receiptSchema } from '../../authority/receipt.schema.js';
import { SCOPES } from '../../policy/scopes.js';

const YEAR_SECONDS = 31_536_000;
const scopesSchema = z
  .array(z.enum(SCOPES))
  .min(1)
  .transform((scopes) => [...new Set(scopes)].sort());
const stateSchema = z.enum(['active', 'suspended']);

const serviceKeySchema = z.strictObject({
  key_id: z.uuid(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  last_active_at: z.iso.datetime(),
});
export const serviceAccountSchema = z
  .strictObject({
    id: z.uuid(),
    tenant_id: z.uuid(),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    state: stateSchema,
    keys: z.array(serviceKeySchema).meta({ description: 'those that are good, newest first' }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'ServiceAccount' });
export type ServiceAccount = z.infer<typeof serviceAccountSchema>;
export const serviceAccountPageSchema = z
  .strictObject({ items: z.array(serviceAccountSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'ServiceAccountPage' });
export type ServiceAccountPage = z.infer<typeof serviceAccountPageSchema>;

export const newServiceAccountSchema = z
  .strictObject({ name: personNameSchema, scopes: scopesSchema })
  .meta({ id: 'NewServiceAccount' });
export type NewServiceAccount = z.infer<typeof newServiceAccountSchema>;
export const serviceAccountPatchSchema = z
  .strictObject({
    name: personNameSchema.optional(),
    scopes: scopesSchema.optional(),
    state: stateSchema.optional(),
  })
  .meta({ id: 'ServiceAccountPatch' });
export type ServiceAccountPatch = z.infer<typeof serviceAccountPatchSchema>;
export const changedServiceAccountSchema = z
  .strictObject({ service_account: serviceAccountSchema, receipt: receiptSchema.nullable() })
  .meta({ id: 'ChangedServiceAccount' });
export type ChangedServiceAccount = z.infer<typeof changedServiceAccountSchema>;

export const newKeySchema = z
  .strictObject({
    expires_in: z
      .int()
      .min(60)
      .max(10 * YEAR_SECONDS)
      .default(YEAR_SECONDS)
      .meta({ description: 'seconds' }),
  })
  .meta({ id: 'NewServiceKey' });
export type NewKey = z.infer<typeof newKeySchema>;
export const shownKeySchema = z
  .strictObject({
    key_id: z.uuid(),
    key: z.string().meta({ description: 'shown here and never again' }),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'ServiceKey' });
export type ShownKey = z.infer<typeof shownKeySchema>;
