import { Module } from '@nestjs/common';
import { MinuteStats } from './minute-stats.js';
import { ReadStats } from './read-stats.js';
import { RollUp } from './roll-up.js';
import { TroubledClients } from './troubled-clients.js';

@Module({
  providers: [MinuteStats, RollUp, ReadStats, TroubledClients],
  exports: [ReadStats, TroubledClients],
})
export class StatsModule {}
