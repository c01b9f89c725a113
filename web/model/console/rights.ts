/**
 * Pages and controls that somebody gets. The ladder is the one that the server asks; what it would
 * refuse is not offered.
 */
import type { Me } from '@wardroom/client';
import { decideAdmin } from '../../../src/policy/decide-admin.js';
import type { AdminAction, AdminTarget } from '../../../src/policy/decide-admin.js';

export interface PageLink {
  readonly page: string;
  readonly title: string;
}

/** In the order of the navigation. `needs`: the least that makes sense of the page. */
const PAGES: readonly (PageLink & { needs: AdminAction | null })[] = [
  { page: 'overview', title: 'Overview', needs: 'list_nodes' },
  { page: 'sessions', title: 'Sessions', needs: 'list_sessions' },
  { page: 'why', title: 'Why', needs: 'read_close' },
  { page: 'people', title: 'People', needs: 'list_users' },
  { page: 'invites', title: 'Invitations', needs: 'list_invites' },
  { page: 'rooms', title: 'Rooms', needs: null },
  { page: 'tenants', title: 'Tenants', needs: 'list_tenants' },
  { page: 'services', title: 'Services', needs: 'list_service_accounts' },
  { page: 'try-as', title: 'Try as', needs: 'explain' },
  { page: 'audit', title: 'Audit', needs: 'read_audit' },
  { page: 'review', title: 'Review', needs: 'read_review' },
  { page: 'drills', title: 'Drills', needs: 'read_stats' },
  { page: 'keys', title: 'Keys', needs: 'read_keys' },
  { page: 'config', title: 'Config', needs: 'read_config' },
];

const ROLES = ['operator', 'auditor', 'admin'] as const;

export class Rights {
  constructor(readonly me: Me) {}

  /** Others have nothing to do here. */
  get entitled(): boolean {
    return (ROLES as readonly string[]).includes(this.me.role);
  }

  get ofInstallation(): boolean {
    return this.me.role === 'operator' || this.me.role === 'auditor';
  }

  may(action: AdminAction, target: AdminTarget = { tenantId: this.me.tenant_id }): boolean {
    const { user_id: userId, tenant_id: tenantId, role } = this.me;
    return decideAdmin({ userId, tenantId, role, active: true }, action, target).allow;
  }

  get pages(): PageLink[] {
    if (!this.entitled) return [];
    return PAGES.filter(({ needs }) =>
      needs === null
        ? this.me.role === 'admin'
        : this.may(needs, this.ofInstallation ? { tenantId: null } : undefined),
    );
  }
}
