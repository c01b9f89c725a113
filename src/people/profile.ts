import { Injectable } from '@nestjs/common';
import { recordAudit } from '../audit/record-audit.js';
import { AuthorityLog } from '../authority/authority-log.js';
import type { AuthorityEvent } from '../authority/events.js';
import { CurrentUser } from '../auth/sign-in/current-user.js';
import type { Me } from '../auth/sign-in/sign-in.schemas.js';
import type { User } from '../platform/generated/client.js';
import type { UserRole } from '../platform/stores/system-tenant.js';
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
    private readonly log: AuthorityLog,
    private readonly decisions: Decisions,
    private readonly whoAmI: CurrentUser,
  ) {}

  async change(principal: Principal, patch: ProfilePatch): Promise<Me> {
    await this.log.commit(async (tx) => {
      const { role } = await lockCaller(tx, principal, 'change');
      const decision = decidePeople({ role }, 'change_profile');
      if (!decision.allow)
        this.decisions.refuse(principal, '', 'change_profile', decision, factsWithoutRoom(role));
      const id = principal.userId;
      const user = await tx.user.findUniqueOrThrow({ where: { id } });
      const { name, avatar, status } = user;
      const before = { name, avatar, status };
      const after = { ...before, ...definedIn(patch) };
      const fields = FIELDS.filter((field) => after[field] !== before[field]);
      if (fields.length > 0) {
        await tx.user.update({ where: { id }, data: after });
        recordAudit(tx, { event: 'user_updated', user: id, detail: { fields } });
      }
      return {
        result: null,
        events: [],
        grown: after.name === name ? [] : [renamed(user)],
        tenant: principal.tenantId,
      };
    });
    return this.whoAmI.tell(principal);
  }
}

const FIELDS = ['name', 'avatar', 'status'] as const;

const renamed = ({ id, role, version }: User): AuthorityEvent => ({
  kind: 'user.changed',
  user: id,
  state: 'active',
  role: role as UserRole,
  version,
  onlyShown: true,
});

const definedIn = (patch: ProfilePatch) =>
  Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
