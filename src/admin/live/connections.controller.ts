/** Live connections: listed, told about, closed. */
import { Controller, Delete, Get } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { IdParam } from '../../platform/http/path.js';
import { ZodQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { CloseConnection } from './close-connection.js';
import { ConnectionDetail } from './connection-detail.js';
import {
  closeQuerySchema,
  closedConnectionSchema,
  connectionDetailSchema,
  connectionPageSchema,
  connectionsQuerySchema,
} from './connection.schema.js';
import type {
  CloseQuery,
  ClosedConnection,
  ConnectionDetail as DetailView,
  ConnectionPage,
  ConnectionsQuery,
} from './connection.schema.js';
import { Connections } from './connections.js';

@Controller('v1/admin')
export class ConnectionsController {
  constructor(
    private readonly connections: Connections,
    private readonly detail: ConnectionDetail,
    private readonly closing: CloseConnection,
  ) {}

  @Get('connections')
  @Operation({
    summary: 'live connections of all nodes, newest first',
    answers: { 200: connectionPageSchema },
    errors: ['role_required'],
  })
  list(
    @ZodQuery(connectionsQuerySchema) query: ConnectionsQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ConnectionPage> {
    return this.connections.list(principal, query);
  }

  @Get('connections/:id')
  @Operation({
    summary: 'what happened to a connection, also after its end, for CLOSES_KEPT_HOURS',
    answers: { 200: connectionDetailSchema },
    errors: ['role_required'],
  })
  one(@IdParam('id') id: string, @CurrentPrincipal() principal: Principal): Promise<DetailView> {
    return this.detail.of(principal, id);
  }

  @Delete('connections/:id')
  @Operation({
    summary: 'close a connection, on whichever node it is (operators)',
    answers: { 200: closedConnectionSchema },
    errors: ['role_required'],
  })
  close(
    @IdParam('id') id: string,
    @ZodQuery(closeQuerySchema) query: CloseQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ClosedConnection> {
    return this.closing.close(principal, id, query);
  }
}
