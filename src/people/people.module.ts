import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { PolicyModule } from '../policy/policy.module.js';
import { Directory } from './directory.js';
import { AuthorityModule } from '../authority/authority.module.js';
import { PeopleController } from './people.controller.js';
import { Profile } from './profile.js';

@Module({
  imports: [AuthorityModule, AuthModule, PolicyModule],
  controllers: [PeopleController],
  providers: [Directory, Profile],
})
export class PeopleModule {}
