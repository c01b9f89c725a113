/** The pages by their name in the URL. */
import type { ComponentType } from 'preact';
import type { PageProps } from './page-props.js';
import { OverviewPage } from './pages/overview-page.js';
import { SessionsPage } from './pages/sessions-page.js';
import { WhyPage } from './pages/why-page.js';

export const PAGES: Readonly<Record<string, ComponentType<PageProps>>> = {
  overview: OverviewPage,
  sessions: SessionsPage,
  why: WhyPage,
};
