import { Module } from '@nestjs/common';
import { PrincipalRates } from './principal-rates.js';

@Module({ providers: [PrincipalRates], exports: [PrincipalRates] })
export class BudgetsModule {}
