import { Module } from '@nestjs/common';
import { AuthorityModule } from '../authority/authority.module.js';
import { Decisions } from './decisions.js';
import { MembershipCache } from './membership-cache.js';
import { Policy } from './policy.js';

@Module({
  imports: [AuthorityModule],
  providers: [MembershipCache, Decisions, Policy],
  exports: [Policy, Decisions],
})
export class PolicyModule {}
