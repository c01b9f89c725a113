/** The pages by their name in the URL. */
import type { ComponentType } from 'preact';
import type { PageProps } from './page-props.js';
import { AuditPage } from './pages/audit-page.js';
import { ConfigPage } from './pages/config-page.js';
import { DrillsPage } from './pages/drills-page.js';
import { InvitesPage } from './pages/invites-page.js';
import { KeysPage } from './pages/keys-page.js';
import { OverviewPage } from './pages/overview-page.js';
import { PeoplePage } from './pages/people-page.js';
import { ReviewPage } from './pages/review-page.js';
import { RoomsPage } from './pages/rooms-page.js';
import { ServicesPage } from './pages/services-page.js';
import { SessionsPage } from './pages/sessions-page.js';
import { TenantsPage } from './pages/tenants-page.js';
import { TryAsPage } from './pages/try-as-page.js';
import { WhyPage } from './pages/why-page.js';

export const PAGES: Readonly<Record<string, ComponentType<PageProps>>> = {
  overview: OverviewPage,
  sessions: SessionsPage,
  why: WhyPage,
  people: PeoplePage,
  invites: InvitesPage,
  rooms: RoomsPage,
  tenants: TenantsPage,
  services: ServicesPage,
  'try-as': TryAsPage,
  audit: AuditPage,
  review: ReviewPage,
  drills: DrillsPage,
  keys: KeysPage,
  config: ConfigPage,
};
