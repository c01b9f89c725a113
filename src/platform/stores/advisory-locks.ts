/**
 * The advisory locks of the product in Postgres, one number for each kind of work. They stand
 * together, so that two kinds never get one number: the one would then wait for the other.
 */
export const LOCKS = {
  /**
   * `prisma migrate` locks it, too. Other work that runs once per cluster at start takes it after
   * `migrate`, not around it.
   */
  migration: 72_707_369,
  sessionSweep: 72_707_401,
  auditPrune: 72_707_402,
  keyRotation: 72_707_403,
  historyReplacement: 72_707_405,
  tenantErase: 72_707_406,
  closesPrune: 72_707_407,
  configuration: 72_707_412,
  statsRollUp: 72_707_415,
} as const;
