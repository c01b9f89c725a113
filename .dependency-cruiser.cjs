/** The layering of docs/architecture.md. Type imports count, but where a rule says otherwise. */
const layer = (name, comment, allowed) => ({
  name: `${name}-imports-only-below`,
  comment,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^(src|sdk|web)/', pathNot: `^src/(${allowed.join('|')})/` },
});

/** The wings of a folder, lowest first: each imports only itself and those before it. */
const wings = (folder, names) =>
  names.slice(0, -1).map((name, index) => ({
    name: `${folder}-${name}-imports-only-below`,
    severity: 'error',
    from: { path: `^src/${folder}/${name}/` },
    to: { path: `^src/${folder}/(${names.slice(index + 1).join('|')})/` },
  }));

module.exports = {
  forbidden: [
    ...wings('gateway', ['connection', 'delivery', 'watch', 'frames', 'handshake']),
    ...wings('rooms', ['events', 'members', 'invites']),
    ...wings('auth', [
      'limits',
      'keys',
      'tokens',
      'links',
      'guard',
      'sign-in',
      'setup',
      'oidc',
      'http',
    ]),
    ...wings('platform', ['config', 'stores', 'http', 'mail']),
    {
      name: 'no-cycle',
      comment: 'No file can be understood without another that needs it. Type imports count.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    layer('platform', 'The platform knows no part of the product but its words.', ['platform']),
    layer('audit', 'The audit is told; it asks nobody.', ['audit', 'platform']),
    layer('stats', 'What is counted is told; it asks nobody.', ['stats', 'platform']),
    layer('budgets', 'Budgets are data and counters; whoever spends them stands above.', [
      'budgets',
      'platform',
    ]),
    layer('authority', 'The authority log knows nobody who writes to it.', [
      'authority',
      'platform',
    ]),
    layer('sessions', 'Sessions stand on the authority log.', [
      'sessions',
      'authority',
      'audit',
      'platform',
    ]),
    {
      name: 'protocol-is-a-leaf',
      comment: 'It runs in a browser, too.',
      severity: 'error',
      from: { path: '^protocol/' },
      to: { path: '^(src|sdk|drills|web|test|scripts)/' },
    },
    {
      name: 'protocol-needs-zod-only',
      severity: 'error',
      from: { path: '^protocol/' },
      to: {
        dependencyTypes: [
          'npm',
          'npm-dev',
          'npm-optional',
          'npm-peer',
          'npm-no-pkg',
          'npm-unknown',
          'core',
        ],
        pathNot: '(^|/)node_modules/zod/',
      },
    },
    {
      name: 'codes-and-limits-need-nothing',
      comment: 'The SDK takes their values into the browser.',
      severity: 'error',
      from: { path: '^protocol/src/(codes|limits)\\.ts$' },
      to: { pathNot: '^protocol/src/(codes|limits)\\.ts$' },
    },
    {
      name: 'auth-policy-rooms-know-no-sockets',
      severity: 'error',
      from: { path: '^src/(auth|policy|rooms|sessions|authority|audit|budgets|platform)/' },
      to: {
        path: [
          '^src/gateway/',
          '(^|/)node_modules/(@types/)?ws/',
          '(^|/)node_modules/@nestjs/(platform-ws|websockets)/',
        ],
      },
    },
    {
      name: 'only-the-top-imports-gateway',
      comment: 'main.ts installs its adapter; app.module.ts, admin/ and health/ its module.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/(gateway/|admin/|health/|api-docs/|(main|app\\.module)\\.ts$)',
      },
      to: { path: '^src/gateway/' },
    },
    {
      name: 'sdk-takes-values-from-codes-and-limits-only',
      comment: 'Frames come in as types; the SDK has no dependency at run time.',
      severity: 'error',
      from: { path: '^sdk/src/' },
      to: {
        pathNot: '^(sdk/src/|protocol/src/(codes|limits)\\.ts$)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'hooks-stand-on-the-client',
      comment: 'They are thin: React, and what the client gives to everybody.',
      severity: 'error',
      from: { path: '^sdk-react/src/' },
      to: { pathNot: '^(sdk-react/src/|sdk/src/index[.]ts$|node_modules/(@types/)?react/)' },
    },
    {
      name: 'sdk-takes-types-from-protocol-only',
      severity: 'error',
      from: { path: '^sdk/src/' },
      to: { path: '^(src|web|test|scripts)/' },
    },
    {
      name: 'drills-stand-on-the-sdk',
      comment: 'They run in a browser too: of the server they know types, codes and limits.',
      severity: 'error',
      from: { path: '^drills/src/' },
      to: {
        pathNot: '^(drills/src/|sdk/src/|protocol/src/(codes|limits)\\.ts$)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'drills-know-no-part-of-the-server',
      severity: 'error',
      from: { path: '^drills/' },
      to: { path: '^(src|test|scripts|web)/' },
    },
    {
      name: 'src-needs-no-dev-dependency',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
        pathNot: '(^|/)node_modules/@types/',
      },
    },
    {
      name: 'pages-stand-on-the-sdk',
      comment:
        'Pages get types, codes, limits and the pure ladders of the server; the ladders tell what to offer.',
      severity: 'error',
      from: { path: '^web/' },
      to: {
        path: '^(src|protocol|test|scripts)/',
        pathNot: '^(protocol/src/(codes|limits)|src/policy/decide-(admin|room))\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'models-know-no-page',
      comment: 'A view model is tested without a browser; what can be shown is shown from it.',
      severity: 'error',
      from: { path: '^web/model/' },
      to: { path: ['^web/(kit|try|chat|console|docs)/', '(^|/)node_modules/preact/'] },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^virtual:guide' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(src/platform/generated|protocol/dist|sdk/dist)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
