import { Module } from '@nestjs/common';
import { AuthorityModule } from '../authority/authority.module.js';
import { SessionActivity } from './session-activity.js';
import { SessionSweeper } from './session-sweeper.js';
import { Sessions } from './sessions.js';

@Module({ imports: [AuthorityModule], providers: [Sessions, SessionActivity, SessionSweeper], exports: [Sessions, SessionActivity] })
export class SessionsModule {}
