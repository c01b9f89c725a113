/** The interfaces of this node, as documents made from what validates and routes. */
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Public } from '../auth/guard/bearer.guard.js';
import { PublicUrl } from '../auth/tokens/public-url.js';
import { asyncApi } from './asyncapi.js';
import { BuiltDocument } from '../platform/http/built-document.js';
import { openApi } from './openapi.js';
import { OPERATIONS } from './operations.js';

const KEPT_SECONDS = 300;

@Controller()
@Public()
export class ApiDocsController {
  private readonly rest = new BuiltDocument(() => openApi(OPERATIONS, this.publicUrl.value));
  private readonly frames = new BuiltDocument(() => asyncApi(this.publicUrl.value));

  constructor(private readonly publicUrl: PublicUrl) {}

  @Get('openapi.json')
  openApi(@Req() request: Request, @Res() response: Response): void {
    this.rest.send(request, response, KEPT_SECONDS);
  }

  @Get('asyncapi.json')
  asyncApi(@Req() request: Request, @Res() response: Response): void {
    this.frames.send(request, response, KEPT_SECONDS);
  }
}
