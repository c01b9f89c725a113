/** The interfaces of this node, as documents made from what validates and routes. */
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { PublicUrl } from '../auth/tokens/public-url.js';
import { asyncApi } from './asyncapi.js';
import { BuiltDocument } from '../platform/http/built-document.js';
import { Operation, documentSchema } from '../platform/http/operation.js';
import { openApi } from './openapi.js';

const KEPT_SECONDS = 300;

/** Provided by the module: the list of all controllers names the one below, too. */
export class DocumentedCalls {
  constructor(readonly operations: readonly Operation[]) {}
}

@Controller()
export class ApiDocsController {
  private readonly rest = new BuiltDocument(() =>
    openApi(this.calls.operations, this.publicUrl.value),
  );
  private readonly frames = new BuiltDocument(() => asyncApi(this.publicUrl.value));

  constructor(
    private readonly calls: DocumentedCalls,
    private readonly publicUrl: PublicUrl,
  ) {}

  @Get('openapi.json')
  @Operation({ summary: 'this REST interface', auth: 'public', answers: { 200: documentSchema } })
  openApi(@Req() request: Request, @Res() response: Response): void {
    this.rest.send(request, response, KEPT_SECONDS);
  }

  @Get('asyncapi.json')
  @Operation({
    summary: 'the WebSocket interface',
    auth: 'public',
    answers: { 200: documentSchema },
  })
  asyncApi(@Req() request: Request, @Res() response: Response): void {
    this.frames.send(request, response, KEPT_SECONDS);
  }
}
