/**
 * ESM without a transpiling build step: swc strips types and emits decorator metadata (.swcrc). Run through `npm test`,
 * which sets NODE_OPTIONS. `unit` needs no store, no node and no build; `cluster` has them (test/support/global-setup.mjs).
 */
const common = {
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['<rootDir>/(?:protocol/|sdk/|sdk-react/)?dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@wardroom/protocol$': '<rootDir>/protocol/src/index.ts',
    '^@wardroom/protocol/(codes|limits)$': '<rootDir>/protocol/src/$1.ts',
    '^@wardroom/client$': '<rootDir>/sdk/src/index.ts',
    '^@wardroom/react$': '<rootDir>/sdk-react/src/index.ts',
  },
  transform: { '^.+\\.ts$': '@swc/jest' },
};
const UNIT = ['<rootDir>/test/unit/', '<rootDir>/test/model/'];

export default {
  maxWorkers: 3,
  testTimeout: 30_000,
  projects: [
    { ...common, displayName: 'unit', testMatch: UNIT.map((folder) => `${folder}**/*.test.ts`) },
    {
      ...common,
      displayName: 'cluster',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...UNIT],
      setupFiles: ['<rootDir>/test/support/note-secrets.mjs'],
      globalSetup: '<rootDir>/test/support/global-setup.mjs',
      globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
    },
  ],
};
