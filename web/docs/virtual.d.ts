declare module 'virtual:guides' {
  type Guide = import('../model/docs/guide-tree.js').Guide;
  export const groups: import('../model/docs/guide-tree.js').GuideGroup[];
  export const loaders: Record<string, () => Promise<{ default: Guide; pictures: string[] }>>;
}
declare module 'virtual:guide-sections' {
  const sections: import('../model/docs/guide-tree.js').Section[];
  export default sections;
}
