import { Injectable } from '@nestjs/common';
import { recordAudit } from '../audit/record-audit.js';
import { CurrentUser } from '../auth/sign-in/current-user.js';
import type { Me } from '../auth/sign-in/sign-in.schemas.js';
import { Database } from '../platform/stores/database.js';
import { decidePeople } from '../policy/decide-people.js';
import { Decisions } from '../policy/decisions.js';
import { factsWithoutRoom } from '../policy/facts.js';
import { lockCaller } from '../sessions/lock-caller.js';
import type { Principal } from '../sessions/principal.js';
import type { ProfilePatch } from './person.schema.js';

/** The part of a user that is theirs to change. */
@Injectable()
export class Profile {
  constructor(
    private readonly database: Database,
    private readonly decisions: Decisions,
    private readonly whoAmI: CurrentUser,
  ) {}

  async change(principal: Principal, patch: ProfilePatch): Promise<Me> {
    await this.database.transaction(async (tx) => {
      const { role } = await lockCaller(tx, principal, 'change');
      const decision = decidePeople({ role }, 'change_profile');
      if (!decision.allow)
        this.decisions.refuse(principal, '', 'change_profile', decision, factsWithoutRoom(role));
      const id = principal.userId;
      const { name, avatar, status } = await tx.user.findUniqueOrThrow({ where: { id } });
      const before = { name, avatar, status };
      const after = { ...before, ...definedIn(patch) };
      const fields = FIELDS.filter((field) => after[field] !== before[field]);
      if (fields.length === 0) return;
      await tx.user.update({ where: { id }, data: after });
      recordAudit(tx, { event: 'user_updated', user: id, detail: { fields } });
    });
    return this.whoAmI.tell(principal);
  }
}

const FIELDS = ['name', 'avatar', 'status'] as const;

const definedIn = (patch: ProfilePatch) =>
  Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
