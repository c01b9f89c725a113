/** The interfaces of this node, as documents made from what validates and routes. */
import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../auth/bearer.guard.js';
import { PublicUrl } from '../auth/public-url.js';
import { asyncApi } from '../platform/asyncapi.js';
import { openApi } from '../platform/openapi.js';
import { OPERATIONS } from './operations.js';

@Controller()
@Public()
export class ApiDocsController {
  constructor(private readonly publicUrl: PublicUrl) {}

  @Get('openapi.json')
  @Header('Cache-Control', 'public, max-age=300')
  openApi() {
    return openApi(OPERATIONS, this.publicUrl.value);
  }

  @Get('asyncapi.json')
  @Header('Cache-Control', 'public, max-age=300')
  asyncApi() {
    return asyncApi(this.publicUrl.value);
  }
}
