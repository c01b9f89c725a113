/** The configuration in effect. */
import { Controller, Get, Header } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import type { Principal } from '../../sessions/principal.js';
import { configurationSchema } from './config.schema.js';
import type { Configuration } from './config.schema.js';
import { ReadConfig } from './read-config.js';

@Controller('v1/admin')
export class ConfigController {
  constructor(private readonly reading: ReadConfig) {}

  @Get('config')
  @Operation({
    summary: 'the configuration in effect, without secrets, and nodes that differ (operators)',
    answers: { 200: configurationSchema },
    errors: ['role_required'],
  })
  @Header('Cache-Control', 'no-store')
  config(@CurrentPrincipal() principal: Principal): Promise<Configuration> {
    return this.reading.read(principal);
  }
}
