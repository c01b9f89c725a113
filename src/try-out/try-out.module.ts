/** Imported by a development node with `TRY_PAGE` only: in production none of it exists. */
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { AuthorityModule } from '../authority/authority.module.js';
import { TryOut } from './try-out.js';
import { TryOutController } from './try-out.controller.js';

@Module({
  imports: [AuthorityModule, AuthModule],
  controllers: [TryOutController],
  providers: [TryOut],
})
export class TryOutModule {}
