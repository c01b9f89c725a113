/** People as the users of their tenant see them. */
import * as z from 'zod';
import { personNameSchema } from '../auth/sign-in/sign-in.schemas.js';
import { pageFields, plainText } from '../platform/zod.js';

const AVATAR_CHARS_MAX = 1_000;
const STATUS_CHARS_MAX = 140;
const QUERY_CHARS_MAX = 100;

export const personSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    avatar: z.string().nullable().meta({ description: 'an https URL of a picture' }),
    status: z.string().nullable(),
    state: z.enum(['active', 'suspended']),
    email: z.string().optional().meta({ description: 'for admins of the tenant' }),
  })
  .meta({ id: 'Person' });
export type Person = z.infer<typeof personSchema>;
export const personPageSchema = z
  .object({ items: z.array(personSchema), next_cursor: z.string().nullable() })
  .meta({ id: 'PersonPage' });
export type PersonPage = z.infer<typeof personPageSchema>;

/** `name_` or `email_`, by which the last one was found, and its id. */
const cursorSchema = z
  .string()
  .regex(
    /^(name|email)_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    'a `next_cursor` of this list',
  );
export const peopleQuerySchema = z.strictObject({
  q: plainText(1, QUERY_CHARS_MAX).optional().meta({
    description:
      'the beginning of a name, or a whole e-mail address; for admins also the beginning of one',
  }),
  limit: pageFields.limit,
  cursor: cursorSchema.optional(),
});
export type PeopleQuery = z.infer<typeof peopleQuerySchema>;

/** Nobody who loads the picture sends a password with it, or sends anything in the clear. */
const avatarSchema = z
  .url({ protocol: /^https$/ })
  .max(AVATAR_CHARS_MAX)
  .refine((text) => {
    const { username, password } = new URL(text);
    return username === '' && password === '';
  }, 'must not hold a user or a password')
  .meta({ description: 'an https URL of a picture' });

export const profilePatchSchema = z
  .strictObject({
    name: personNameSchema.optional(),
    avatar: avatarSchema.nullable().optional(),
    status: plainText(1, STATUS_CHARS_MAX).nullable().optional(),
  })
  .refine((patch) => Object.values(patch).some((value) => value !== undefined), {
    message: 'name, avatar, status, or several of them',
  })
  .meta({ id: 'ProfilePatch' });
export type ProfilePatch = z.infer<typeof profilePatchSchema>;
