/** Tenants as operators create, change and see them. */
import * as z from 'zod';
import { receiptSchema } from '../../authority/receipt.schema.js';
import { nameSchema, slugSchema } from '../../platform/text.js';

const stateSchema = z.enum(['active', 'disabled']);
/** Seconds; the node's ACCESS_TTL_SECONDS counts where it is shorter. Null: that of the node. */
const accessTtlSchema = z.int().min(5).max(900).nullable();

export const tenantSchema = z
  .object({
    id: z.uuid(),
    slug: z.string(),
    name: z.string(),
    state: stateSchema,
    allow_registration: z.boolean(),
    allow_guests: z.boolean(),
    access_ttl_seconds: accessTtlSchema,
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Tenant' });
export type TenantView = z.infer<typeof tenantSchema>;

export const tenantPageSchema = z
  .object({ items: z.array(tenantSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'TenantPage' });
export type TenantPage = z.infer<typeof tenantPageSchema>;

export const newTenantSchema = z
  .strictObject({
    slug: slugSchema,
    name: nameSchema,
    allow_registration: z.boolean().default(false),
    allow_guests: z.boolean().default(false),
  })
  .meta({ id: 'NewTenant' });
export type NewTenant = z.infer<typeof newTenantSchema>;

export const tenantPatchSchema = z
  .strictObject({
    state: stateSchema.optional(),
    slug: slugSchema.optional(),
    name: nameSchema.optional(),
    allow_registration: z.boolean().optional(),
    allow_guests: z.boolean().optional(),
    access_ttl_seconds: accessTtlSchema.optional(),
  })
  .meta({ id: 'TenantPatch' });
export type TenantPatch = z.infer<typeof tenantPatchSchema>;

/** Its rows are going; the same call answers 404 when they are gone. */
export const erasingTenantSchema = z
  .object({ id: z.uuid(), state: z.literal('erasing') })
  .meta({ id: 'ErasingTenant' });
export type ErasingTenant = z.infer<typeof erasingTenantSchema>;

export const changedTenantSchema = z
  .object({ tenant: tenantSchema, receipt: receiptSchema.nullable() })
  .meta({ id: 'ChangedTenant' });
export type ChangedTenant = z.infer<typeof changedTenantSchema>;
