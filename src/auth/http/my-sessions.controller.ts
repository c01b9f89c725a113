/** Who am I, and which devices am I signed in on? */
import { Controller, Delete, Get, Param } from '@nestjs/common';
import { Receipts } from '../../authority/receipts.js';
import type { Receipt } from '../../authority/receipt.schema.js';
import { ZodQuery, pageQuery, waitQuery } from '../../platform/zod.js';
import type { PageQuery, WaitQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { Sessions } from '../../sessions/sessions.js';
import type { SessionPage } from '../../sessions/sessions.js';
import type { Me } from '../sign-in/sign-in.schemas.js';
import { AuthorityCall, CurrentPrincipal } from '../guard/bearer.guard.js';
import { CurrentUser } from '../sign-in/current-user.js';

@Controller('v1')
export class MySessionsController {
  constructor(
    private readonly sessions: Sessions,
    private readonly receipts: Receipts,
    private readonly whoAmI: CurrentUser,
  ) {}

  @Get('me')
  me(@CurrentPrincipal() principal: Principal): Promise<Me> {
    return this.whoAmI.tell(principal);
  }

  @Get('auth/sessions')
  list(
    @ZodQuery(pageQuery) query: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<SessionPage> {
    return this.sessions.listMine(principal, query);
  }

  @Delete('auth/sessions/:id')
  @AuthorityCall()
  async end(
    @Param('id') id: string,
    @ZodQuery(waitQuery) { wait }: WaitQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Receipt | null> {
    const { pending } = await this.sessions.endOne(principal, id);
    return this.receipts.waitForReceipt(pending, wait);
  }
}
