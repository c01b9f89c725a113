/** The frame of the pages: where one can go, who one is, and the page itself. */
import { useEffect, useRef } from 'preact/hooks';
import { Banner } from '../kit/said/banner.js';
import { Menu } from '../kit/inputs/menu.js';
import type { Console } from '../model/console/console.js';
import { hashOf } from '../model/console/place.js';
import type { Rights } from '../model/console/rights.js';
import type { CookieSession } from '../model/cookie-session.js';
import { PAGES } from './pages.js';

interface Props {
  console: Console;
  session: CookieSession;
  rights: Rights;
}

export function Shell({ console, session, rights }: Props) {
  const { page, id } = console.place.value;
  const links = rights.pages.filter(({ page: each }) => each in PAGES);
  const link = links.find((each) => each.page === page);
  const main = useRef<HTMLElement>(null);
  const View = link === undefined ? undefined : PAGES[page];
  useEffect(() => {
    document
      .querySelector('nav [aria-current]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    document.title = `${link?.title ?? 'Not found'} · Wardroom console`;
  }, [page]);
  // A reader of the screen begins at the new page, not at the link that led there.
  const before = useRef(`${page}/${id}`);
  useEffect(() => {
    if (before.current !== `${page}/${id}` && document.activeElement === document.body)
      main.current?.focus();
    before.current = `${page}/${id}`;
  }, [page, id]);
  const { me } = rights;
  const who = me.email ?? me.name ?? me.user_id;
  const role = rights.ofInstallation ? me.role : `${me.role} of ${me.tenant.slug}`;
  return (
    <>
      <header class="top">
        <h1>Console</h1>
        <nav aria-label="Pages">
          {links.map(({ page: to, title }) => (
            <a key={to} href={hashOf({ page: to })} aria-current={to === page ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <Menu
          label={`${who} · ${role}`}
          items={[
            { text: 'Sign out', run: () => void session.signOut() },
            { text: 'Sign out everywhere', run: () => void session.signOut('all'), bad: true },
          ]}
        >
          <span>{who}</span>
          <span class="role"> · {role}</span>
        </Menu>
      </header>
      <main class="page" ref={main} tabIndex={-1} key={page}>
        {View === undefined ? (
          <Banner
            tone="warn"
            title="No such page."
            text={`There is no page “${page}” for ${me.role === 'admin' ? 'an admin of a tenant' : `an ${me.role}`}.`}
          />
        ) : (
          <View console={console} rights={rights} place={console.place.value} />
        )}
      </main>
    </>
  );
}
