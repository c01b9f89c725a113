/** The nodes of the installation. */
import { Controller, Get } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodQuery, pageQuery } from '../../platform/zod.js';
import type { PageQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { nodePageSchema } from './node.schema.js';
import type { NodePage } from './node.schema.js';
import { Nodes } from './nodes.js';

@Controller('v1/admin')
export class NodesController {
  constructor(private readonly nodes: Nodes) {}

  @Get('nodes')
  @Operation({
    summary: 'nodes of the last day, newest first (operators)',
    answers: { 200: nodePageSchema },
    errors: ['role_required'],
  })
  list(
    @ZodQuery(pageQuery) query: PageQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<NodePage> {
    return this.nodes.list(principal, query);
  }
}
