/** Guides as the build makes them: trees of nodes, never HTML. */
export type GuideNode = string | GuideElement;
export type GuideElement = readonly [
  tag: string,
  props: Readonly<Record<string, string>>,
  ...children: GuideNode[],
];

export interface Heading {
  /** As on GitHub. */
  id: string;
  text: string;
  /** 1 to 6. */
  level: number;
}

export interface Guide {
  title: string;
  headings: Heading[];
  tree: GuideNode[];
}

/** A heading of a guide with the words below it, for the search. */
export interface Section {
  /** Of the guide. */
  slug: string;
  id: string;
  heading: string;
  text: string;
}

/** Guides of the menu under one name. */
export interface GuideGroup {
  name: string;
  guides: { slug: string; title: string }[];
}
