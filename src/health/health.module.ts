import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AuthorityModule } from '../authority/authority.module.js';
import { GatewayModule } from '../gateway/gateway.module.js';
import { HealthController } from './health.controller.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false }), AuthorityModule, GatewayModule],
  controllers: [HealthController],
})
export class HealthModule {}
