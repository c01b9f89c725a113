/** The people of the caller's tenant, and what the caller shows them. */
import { Controller, Get, Patch } from '@nestjs/common';
import { CurrentPrincipal } from '../auth/guard/bearer.guard.js';
import { meSchema } from '../auth/sign-in/sign-in.schemas.js';
import type { Me } from '../auth/sign-in/sign-in.schemas.js';
import { Operation } from '../platform/http/operation.js';
import { IdParam } from '../platform/http/path.js';
import { ZodBody, ZodQuery } from '../platform/zod.js';
import type { Principal } from '../sessions/principal.js';
import { Directory } from './directory.js';
import {
  peopleQuerySchema,
  personPageSchema,
  personSchema,
  profilePatchSchema,
} from './person.schema.js';
import type { PeopleQuery, Person, PersonPage, ProfilePatch } from './person.schema.js';
import { Profile } from './profile.js';

@Controller('v1')
export class PeopleController {
  constructor(
    private readonly directory: Directory,
    private readonly profile: Profile,
  ) {}

  @Get('users')
  @Operation({
    summary: 'people of the tenant in the order of names, by the beginning of a name',
    answers: { 200: personPageSchema },
    errors: ['role_required'],
  })
  list(
    @ZodQuery(peopleQuerySchema) query: PeopleQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<PersonPage> {
    return this.directory.list(principal, query);
  }

  @Get('users/:id')
  @Operation({
    summary: 'one of them, suspended or not',
    answers: { 200: personSchema },
    errors: ['role_required'],
  })
  read(@IdParam('id') id: string, @CurrentPrincipal() principal: Principal): Promise<Person> {
    return this.directory.read(principal, id);
  }

  @Patch('me')
  @Operation({
    summary: 'my name, picture and status; null takes the latter two away',
    answers: { 200: meSchema },
    errors: ['guest_read_only', 'role_required'],
  })
  change(
    @ZodBody(profilePatchSchema) patch: ProfilePatch,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Me> {
    return this.profile.change(principal, patch);
  }
}
