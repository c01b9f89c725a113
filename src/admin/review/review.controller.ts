/** The monthly review, its signature, and series of what the nodes counted. */
import { Controller, Get, Post } from '@nestjs/common';
import { CurrentPrincipal } from '../../auth/guard/bearer.guard.js';
import { wallMs } from '../../platform/clock.js';
import { Operation } from '../../platform/http/operation.js';
import { ZodBody, ZodQuery } from '../../platform/zod.js';
import type { Principal } from '../../sessions/principal.js';
import { ReadStats } from '../../stats/read-stats.js';
import { AdminAuthorization } from '../admin-authorization.js';
import { MonthlyReview } from './monthly-review.js';
import {
  reviewQuerySchema,
  reviewSchema,
  signReviewSchema,
  signedReviewSchema,
  statsQuerySchema,
  statsSchema,
} from './review.schema.js';
import type {
  Review,
  ReviewQuery,
  SignReview,
  SignedReview,
  Stats,
  StatsQuery,
} from './review.schema.js';

@Controller('v1/admin')
export class ReviewController {
  constructor(
    private readonly admin: AdminAuthorization,
    private readonly reviews: MonthlyReview,
    private readonly stats: ReadStats,
  ) {}

  @Get('review')
  @Operation({
    summary: 'the monthly review: five items, judged, with the month before (operators, auditors)',
    answers: { 200: reviewSchema },
    errors: ['role_required'],
  })
  review(
    @ZodQuery(reviewQuerySchema) { month }: ReviewQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Review> {
    return this.reviews.of(principal, month);
  }

  @Post('reviews')
  @Operation({
    summary: 'sign a monthly review off, in the audit (operators)',
    answers: { 201: signedReviewSchema },
    errors: ['role_required'],
  })
  sign(
    @ZodBody(signReviewSchema) body: SignReview,
    @CurrentPrincipal() principal: Principal,
  ): Promise<SignedReview> {
    return this.reviews.sign(principal, body);
  }

  @Get('stats')
  @Operation({
    summary: 'what the nodes counted, in at most 144 points a series (operators, auditors)',
    answers: { 200: statsSchema },
    errors: ['role_required'],
  })
  async series(
    @ZodQuery(statsQuerySchema) { range, name }: StatsQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<Stats> {
    await this.admin.require(principal, 'read_stats', { tenantId: null });
    return this.stats.series(range, name, wallMs());
  }
}
