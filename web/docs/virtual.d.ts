declare module 'virtual:guides' {
  type Guide = import('./guide-tree.js').Guide;
  export const groups: import('./guide-tree.js').GuideGroup[];
  export const loaders: Record<string, () => Promise<{ default: Guide; pictures: string[] }>>;
}
declare module 'virtual:guide-sections' {
  const sections: import('./guide-tree.js').Section[];
  export default sections;
}
