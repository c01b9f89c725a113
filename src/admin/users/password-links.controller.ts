import { Controller, Header, Post } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { IdParam } from '../../platform/http/path.js';
import { ZodBody, emptyBody } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { PasswordLinks, passwordLinkSchema } from './password-links.js';
import type { PasswordLink } from './password-links.js';
import { STEP_UP } from '../step-up-rules.js';

/** Where no mail is sent, or a mailbox is lost, somebody who knows the user hands the link over. */
@Controller('v1/admin/users/:user/password-reset')
export class PasswordLinksController {
  constructor(private readonly links: PasswordLinks) {}

  @Post()
  @Operation({
    summary: 'a link by which the user sets a new password: for one use, 30 minutes',
    stepUp: STEP_UP.always,
    answers: { 200: passwordLinkSchema },
    errors: ['role_required'],
  })
  @Header('Cache-Control', 'no-store')
  create(
    @IdParam('user') user: string,
    @ZodBody(emptyBody) _: object,
    @CurrentPrincipal() principal: Principal,
  ): Promise<PasswordLink> {
    return this.links.create(principal, user);
  }
}
