/** Messages by their words. */
import { Controller, Get } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { searchPageSchema, searchQuerySchema } from './message.schema.js';
import type { SearchPage, SearchQuery } from './message.schema.js';
import { SearchMessages } from './search-messages.js';

@Controller('v1/search')
export class SearchController {
  constructor(private readonly messages: SearchMessages) {}

  @Get()
  @Operation({
    summary: 'messages of rooms that the caller may read now, newest first',
    answers: { 200: searchPageSchema },
  })
  search(
    @ZodQuery(searchQuerySchema) query: SearchQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<SearchPage> {
    return this.messages.search(principal, query);
  }
}
