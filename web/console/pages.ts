/** The pages by their name in the URL. */
import type { ComponentType } from 'preact';
import type { Console } from '../model/console/console.js';
import type { Place } from '../model/console/place.js';
import type { Rights } from '../model/console/rights.js';
import { OverviewPage } from './pages/overview-page.js';
import { SessionsPage } from './pages/sessions-page.js';
import { WhyPage } from './pages/why-page.js';

export interface PageProps {
  console: Console;
  rights: Rights;
  place: Place;
}

export const PAGES: Readonly<Record<string, ComponentType<PageProps>>> = {
  overview: OverviewPage,
  sessions: SessionsPage,
  why: WhyPage,
};
