/** The place that the page shows, and everything that it has loaded. */
import { computed, effect, signal } from '@preact/signals';
import { groups, loaders } from 'virtual:guides';
import type { AsyncApi, OpenApi } from '../model/docs/api.js';
import { readPlace } from '../model/docs/place.js';
import { searchSections } from '../model/docs/search.js';
import { baseUrl } from '../model/page-url.js';
import type { Guide, Section } from '../model/docs/guide-tree.js';

export type Loaded<T> = { state: 'loading' } | { state: 'failed' } | { state: 'here'; value: T };
const LOADING = { state: 'loading' } as const;

const base = new URL(baseUrl(import.meta.url)).pathname;
export const root = `${base}docs`;
export const menu = groups;
const here = () => readPlace(location.pathname.slice(root.length), location.hash);

export const place = signal(here());
export const guide = signal<Loaded<Guide & { pictures: string[] }>>(LOADING);
export const isUnknown = computed(
  () => place.value.kind === 'guide' && loaders[place.value.slug] === undefined,
);
export const openApi = signal<Loaded<OpenApi>>(LOADING);
export const asyncApi = signal<Loaded<AsyncApi>>(LOADING);
export const query = signal('');
export const isMenuOpen = signal(false);
const sections = signal<readonly Section[]>([]);
export const hits = computed(() => searchSections(sections.value, query.value));

/** Follows a link of this page. */
export function go(href: string): void {
  history.pushState(null, '', href);
  arrive();
}
export function arrive(): void {
  place.value = here();
  query.value = '';
  isMenuOpen.value = false;
}

/** The search reads all guides once, when it is used for the first time. */
export async function prepareSearch(): Promise<void> {
  if (sections.value.length === 0)
    sections.value = (await import('virtual:guide-sections')).default;
}

export async function load(): Promise<void> {
  const { value } = place;
  if (value.kind === 'guide') return loadGuide(value.slug);
  if (value.kind === 'rest') return loadApi(openApi, 'openapi.json');
  return loadApi(asyncApi, 'asyncapi.json');
}

async function loadGuide(slug: string): Promise<void> {
  const loader = loaders[slug];
  if (loader === undefined) return;
  guide.value = LOADING;
  const isStill = () => place.peek().kind === 'guide' && slugNow() === slug;
  try {
    const { default: value, pictures } = await loader();
    if (isStill()) guide.value = { state: 'here', value: { ...value, pictures } };
  } catch {
    if (isStill()) guide.value = { state: 'failed' };
  }
}
const slugNow = () => (place.peek() as { slug?: string }).slug;

async function loadApi<T>(into: { value: Loaded<T> }, file: string): Promise<void> {
  if (into.value.state === 'here') return;
  into.value = LOADING;
  try {
    const answer = await fetch(base + file);
    if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
    into.value = { state: 'here', value: (await answer.json()) as T };
  } catch {
    into.value = { state: 'failed' };
  }
}

const shown = computed(() => (place.value.kind === 'guide' ? place.value.slug : place.value.kind));
effect(() => {
  void shown.value;
  void load();
});
