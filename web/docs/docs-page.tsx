/** The guides and both API documents: a menu and a search to one side, what is read beside them. */
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../kit/inputs/button.js';
import { Field } from '../kit/inputs/field.js';
import { FramesView, RestView } from './api-view.js';
import './docs.css';
import { GuideView } from './guide-view.js';
import { Link } from './link.js';
import { Failed, Waiting } from './states.js';
import {
  asyncApi,
  guide,
  hits,
  isMenuOpen,
  isUnknown,
  load,
  menu,
  openApi,
  place,
  prepareSearch,
  query,
  root,
} from './state.js';

const API = [
  { href: `${root}/api/rest`, kind: 'rest', title: 'REST calls (OpenAPI)' },
  { href: `${root}/api/frames`, kind: 'frames', title: 'Frames (AsyncAPI)' },
] as const;

export function DocsPage() {
  return (
    <div class={`docs ${isMenuOpen.value ? 'with-menu' : ''}`}>
      <header class="top">
        <Link href={root}>
          <strong>Wardroom</strong> docs
        </Link>
        <Button onClick={() => (isMenuOpen.value = !isMenuOpen.value)} pressed={isMenuOpen.value}>
          Contents
        </Button>
      </header>
      <div class="side">
        <div role="search">
          <Field
            label="Search"
            type="search"
            value={query.value}
            onInput={(text) => {
              query.value = text;
              void prepareSearch();
            }}
          />
        </div>
        {query.value.trim() === '' ? <Menu /> : <Hits />}
      </div>
      <Content />
    </div>
  );
}

function Menu() {
  const { value } = place;
  const slug = value.kind === 'guide' ? value.slug : null;
  const current = (is: boolean) => (is ? { 'aria-current': 'page' as const } : {});
  return (
    <nav aria-label="Contents">
      {menu.slice(0, 2).map(group)}
      <h2>API</h2>
      <ul>
        {API.map(({ href, kind, title }) => (
          <li key={kind}>
            <Link href={href} {...current(value.kind === kind)}>
              {title}
            </Link>
          </li>
        ))}
      </ul>
      {menu.slice(2).map(group)}
    </nav>
  );

  function group({ name, guides }: (typeof menu)[number]) {
    return (
      <>
        <h2>{name}</h2>
        <ul>
          {guides.map((one) => (
            <li key={one.slug}>
              <Link href={`${root}/${one.slug}`} {...current(one.slug === slug)}>
                {one.title}
              </Link>
            </li>
          ))}
        </ul>
      </>
    );
  }
}

function Hits() {
  const found = hits.value;
  const title = (slug: string) =>
    menu.flatMap(({ guides }) => guides).find((one) => one.slug === slug)?.title ?? slug;
  return (
    <section aria-label="Found">
      <p role="status" class="soft">
        {found.length === 0
          ? 'No section has all of these words.'
          : `${found.length === 30 ? 'The first 30' : found.length} sections`}
      </p>
      <ul class="hits">
        {found.map(({ section, excerpt }) => (
          <li key={`${section.slug}#${section.id}`}>
            <Link href={`${root}/${section.slug}#${section.id}`}>{section.heading}</Link>
            <p class="soft">{title(section.slug)}</p>
            <p>{excerpt}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Content() {
  const { value } = place;
  const main = useRef<HTMLElement>(null);
  const loaded =
    value.kind === 'guide' ? guide.value : value.kind === 'rest' ? openApi.value : asyncApi.value;
  useEffect(() => {
    if (loaded.state !== 'here') return;
    const target = value.anchor === '' ? null : document.getElementById(value.anchor);
    if (target instanceof HTMLDetailsElement) target.open = true;
    if (target === null) scrollTo(0, 0);
    else target.scrollIntoView();
  }, [value, loaded]);
  useEffect(() => {
    document.title = `${titleOf()} · Wardroom docs`;
  });
  return (
    <main ref={main} tabIndex={-1}>
      <Body />
    </main>
  );

  function titleOf(): string {
    if (value.kind === 'rest') return 'REST calls';
    if (value.kind === 'frames') return 'Frames';
    return guide.value.state === 'here' ? guide.value.value.title : 'Wardroom';
  }
}

function Body() {
  const { value } = place;
  if (isUnknown.value)
    return (
      <>
        <h1>There is no such page</h1>
        <p>
          <Link href={root}>Begin at the beginning</Link>, or search.
        </p>
      </>
    );
  if (value.kind === 'guide') {
    const loaded = guide.value;
    if (loaded.state === 'loading') return <Waiting what="the page" />;
    if (loaded.state === 'failed') return <Failed again={load} />;
    return <GuideView guide={loaded.value} />;
  }
  if (value.kind === 'rest') {
    const loaded = openApi.value;
    if (loaded.state === 'loading') return <Waiting what="the list of calls" />;
    if (loaded.state === 'failed') return <Failed again={load} />;
    return <RestView document={loaded.value} />;
  }
  const loaded = asyncApi.value;
  if (loaded.state === 'loading') return <Waiting what="the list of frames" />;
  if (loaded.state === 'failed') return <Failed again={load} />;
  return <FramesView document={loaded.value} />;
}
