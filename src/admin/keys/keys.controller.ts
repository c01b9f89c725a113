/** Signing keys: listed, and rotated by hand. One is withdrawn by a revocation. */
import { Controller, Get, Post } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodBody, ZodQuery, waitQuery } from '../../platform/zod.js';
import type { WaitQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { STEP_UP } from '../step-up-rules.js';
import { keyListSchema, rotatedKeySchema, rotationSchema } from './key.schema.js';
import type { KeyList, RotatedKey, Rotation } from './key.schema.js';
import { OperatorKeys } from './operator-keys.js';

@Controller('v1/admin/keys')
export class KeysController {
  constructor(private readonly keys: OperatorKeys) {}

  @Get()
  @Operation({
    summary: 'signing keys (operators)',
    answers: { 200: keyListSchema },
    errors: ['role_required'],
  })
  list(@CurrentPrincipal() principal: Principal): Promise<KeyList> {
    return this.keys.list(principal);
  }

  @Post('rotate')
  @Operation({
    summary: 'make a signing key that takes over when every node and cache knows it (operators)',
    stepUp: STEP_UP.always,
    authority: true,
    answers: { 201: rotatedKeySchema },
    errors: ['role_required', 'quota_exceeded'],
  })
  rotate(
    @ZodBody(rotationSchema) rotation: Rotation,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RotatedKey> {
    return this.keys.rotate(principal, rotation, wait);
  }
}
