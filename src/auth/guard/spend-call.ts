/** A REST call spends of its caller's budget: which one, says the table (budgets/budgets.ts). */
import { Injectable } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { CALL_BUDGETS, isOfPrincipal } from '../../budgets/budgets.js';
import type { Budget } from '../../budgets/budgets.js';
import { PrincipalRates } from '../../budgets/principal-rates.js';
import { DomainError } from '../../platform/errors.js';
import { callOf } from './call-of.js';

const REFUSED_AFTER_MS = 250;

@Injectable()
export class SpendCall {
  private readonly budgets = new Map<object, Budget>();

  constructor(private readonly rates: PrincipalRates) {}

  /**
   * A refusal is told late: whoever asks again at once, with many calls beside each other, asks
   * less often.
   */
  async spend(context: ExecutionContext, user: string): Promise<void> {
    const { bucket, cost } = this.budgetOf(context);
    if (!isOfPrincipal(bucket)) return;
    try {
      this.rates.spend(this.rates.of(user), bucket, cost);
    } catch (error) {
      await sleep(REFUSED_AFTER_MS);
      throw error;
    }
  }

  private budgetOf(context: ExecutionContext): Budget {
    const handler = context.getHandler();
    const known = this.budgets.get(handler);
    if (known !== undefined) return known;
    const call = callOf(context);
    const budget = CALL_BUDGETS[call];
    if (budget === undefined)
      throw new DomainError('internal', { detail: `no budget for ${call}` });
    this.budgets.set(handler, budget);
    return budget;
  }
}
