import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ApiDocsController, DocumentedCalls } from './api-docs.controller.js';
import { OPERATIONS } from './operations.js';

@Module({
  imports: [AuthModule],
  controllers: [ApiDocsController],
  providers: [{ provide: DocumentedCalls, useValue: new DocumentedCalls(OPERATIONS) }],
})
export class ApiDocsModule {}
