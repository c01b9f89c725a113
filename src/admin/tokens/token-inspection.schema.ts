/** Why would this token be refused? Source: docs/contract.md, section 10. */
import * as z from 'zod';
import { ACTIONS, ERROR_CODES } from '@wardroom/protocol/codes';
import type { Action, ErrorCode } from '@wardroom/protocol/codes';
import { VERDICTS } from './token-verdicts.js';
import type { Verdict } from './token-verdicts.js';

const TOKEN_CHARS_MAX = 16_384;

export const tokenInspectionRequestSchema = z
  .strictObject({ token: z.string().max(TOKEN_CHARS_MAX) })
  .meta({ id: 'TokenInspectionRequest' });
export type TokenInspectionRequest = z.infer<typeof tokenInspectionRequestSchema>;

const time = z.iso.datetime();
const sessionFactsSchema = z.object({
  id: z.uuid(),
  state: z.enum(['live', 'ended']),
  device: z.string().nullable(),
  created_at: time,
  last_active_at: time,
  idle_ends_at: time.nullable(),
  expires_at: time,
  ended_at: time.nullable(),
  reason: z.string().nullable(),
  ended_by: z.uuid().nullable(),
  receipt: z.uuid().nullable(),
});

export const tokenInspectionSchema = z
  .object({
    kind: z.enum(['access_token', 'refresh_token', 'ticket', 'service_key', 'jwt', 'unknown']),
    verdict: z.enum(Object.keys(VERDICTS) as [Verdict, ...Verdict[]]),
    sentence: z.string(),
    code: z
      .enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]])
      .nullable()
      .meta({ description: 'the code that it is refused with; null: accepted' }),
    action: z.enum(Object.keys(ACTIONS) as [Action, ...Action[]]).nullable(),
    verified: z.boolean().meta({
      description: 'this server made it; else header and claims are what somebody wrote into it',
    }),
    server_time: time,
    header: z.record(z.string(), z.unknown()).nullable(),
    claims: z.record(z.string(), z.unknown()).nullable(),
    issued_at: time.nullable(),
    expires_at: time.nullable(),
    expires_in_ms: z.int().nullable().meta({ description: 'negative: since when it is over' }),
    key: z.object({ kid: z.string(), state: z.string() }).nullable(),
    session: sessionFactsSchema.nullable(),
    user: z
      .object({
        id: z.uuid(),
        name: z.string().nullable(),
        email: z.string().nullable(),
        state: z.string().nullable(),
      })
      .nullable(),
    tenant: z.object({ id: z.uuid(), slug: z.string(), state: z.string() }).nullable(),
    refresh: z
      .object({
        generation: z.int(),
        current_generation: z.int(),
        place: z.enum(['current', 'previous', 'older']).meta({
          description: '`previous` still answers with its successor, until that is used',
        }),
      })
      .nullable(),
    ticket: z
      .object({ origin: z.string().nullable().meta({ description: 'null: from no page' }) })
      .nullable(),
  })
  .meta({ id: 'TokenInspection' });
export type TokenInspection = z.infer<typeof tokenInspectionSchema>;
