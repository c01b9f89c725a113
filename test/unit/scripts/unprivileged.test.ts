/**
 * `npm start` and `npm test` by root: Postgres runs as another user and finds its binaries all the
 * same.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { removeAtEnd } from '../../../scripts/lib/children.mjs';
import { unprivileged } from '../../../scripts/stores/postgres.mjs';
import { testWith } from '../../support/needs.js';

const asRoot = testWith(
  { met: process.getuid?.() === 0, reason: 'only root gives its rights up' },
  'Postgres in a checkout of root',
);

asRoot(
  'in a checkout that only root may enter, the user of Postgres sees an executable file as executable',
  () => {
    const checkout = mkdtempSync(join(tmpdir(), 'wardroom-private-'));
    removeAtEnd(checkout);
    const binary = join(checkout, 'initdb');
    writeFileSync(binary, '#!/bin/sh\n');
    chmodSync(binary, 0o755);
    const identity = unprivileged(join(checkout, 'data'), [checkout]);
    const look = `fs.accessSync(${JSON.stringify(binary)}, fs.constants.X_OK); console.log(process.geteuid())`;
    const [command, args] = identity.wrap(process.execPath, ['-e', look]);
    const seen = spawnSync(command, args, { ...identity.ids, encoding: 'utf8' });
    expect(seen).toMatchObject({ status: 0, stdout: `${identity.uid}\n` });
    expect(identity.uid).not.toBe(0);
  },
);
