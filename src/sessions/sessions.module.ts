import { Module } from '@nestjs/common';
import { AuthorityModule } from '../authority/authority.module.js';
import { EndAgain } from './end-again.js';
import { SessionActivity } from './session-activity.js';
import { SessionProof } from './session-proof.js';
import { SessionSweeper } from './session-sweeper.js';
import { Sessions } from './sessions.js';
import { StandingSessions } from './standing-sessions.js';

@Module({
  imports: [AuthorityModule],
  providers: [Sessions, SessionActivity, SessionSweeper, StandingSessions, EndAgain, SessionProof],
  exports: [Sessions, SessionActivity, StandingSessions, SessionProof],
})
export class SessionsModule {}
