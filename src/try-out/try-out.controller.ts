/**
 * Calls for the try-out page only: people who are signed in without typing, and the state of the
 * node. Only on a development node, only for programs of this machine (local-only.ts).
 */
import { Controller, Get, Header, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { DomainError } from '../platform/errors.js';
import { Operation } from '../platform/http/operation.js';
import { ZodBody } from '../platform/zod.js';
import { tokensSchema } from '../auth/tokens/tokens.schemas.js';
import type { Tokens } from '../auth/tokens/tokens.schemas.js';
import { isLocal } from './local-only.js';
import { TryOut } from './try-out.js';
import { tryNodeSchema, trySignInBody } from './try-out.schema.js';
import type { TryNodeView, TrySignInBody } from './try-out.schema.js';

@Controller('v1/try')
export class TryOutController {
  constructor(private readonly tryOut: TryOut) {}

  @Get()
  @Operation({
    summary: 'the node as the try-out page shows it',
    auth: 'public',
    answers: { 200: tryNodeSchema },
  })
  @Header('Cache-Control', 'no-store')
  node(@Req() request: Request): TryNodeView {
    requireLocal(request);
    return this.tryOut.view();
  }

  @Post('sign-in')
  @Operation({
    summary: 'sign a seeded person in',
    auth: 'public',
    answers: { 200: tokensSchema },
    errors: ['not_found'],
  })
  @Header('Cache-Control', 'no-store')
  signIn(
    @ZodBody(trySignInBody) { person }: TrySignInBody,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Tokens> {
    requireLocal(request);
    return this.tryOut.signIn(person, response);
  }
}

/** As if the call did not exist. */
function requireLocal(request: Request): void {
  if (!isLocal(request))
    throw new DomainError('not_found', {
      detail: 'a try-out call that did not come from this machine',
    });
}
