/** The guides of the repository, in the order of the menu. */
export const GUIDES: Readonly<Record<string, readonly string[]>> = {
  Start: ['README.md', 'docs/build-a-chat.md', 'docs/walk.md', 'docs/glossary.md'],
  'Write a client': [
    'docs/sdk.md',
    'docs/sdk-reference.md',
    'docs/sdk-python.md',
    'docs/backend.md',
    'docs/protocol.md',
  ],
  'What is promised': [
    'docs/promises.md',
    'docs/contract.md',
    'docs/authority.md',
    'docs/security.md',
  ],
  'Run it': [
    'docs/operations.md',
    'docs/runbook.md',
    'docs/review.md',
    'docs/drills.md',
    'docs/backup.md',
  ],
  Figures: [
    'docs/field.md',
    'docs/benchmarks.md',
    'docs/benchmarks-revocation.md',
    'docs/benchmarks-refresh.md',
    'docs/benchmarks-sessions.md',
    'docs/benchmarks-messages.md',
    'docs/benchmarks-web.md',
    'docs/scale.md',
  ],
  'Change it': ['CONTRIBUTING.md', 'docs/architecture.md', 'docs/testing.md', 'CHANGELOG.md'],
};

/** `sdk` of `docs/sdk.md`, `readme` of `README.md`, `adr/0001-...` of a decision. */
export const slugOf = (file: string): string =>
  file
    .replace(/^docs\//, '')
    .replace(/\.md$/, '')
    .toLowerCase();
