/** Signing keys. */
import { useEffect, useMemo } from 'preact/hooks';
import { Badge, type BadgeTone } from '../../kit/said/badge.js';
import { Button } from '../../kit/inputs/button.js';
import { Id } from '../../kit/data/id.js';
import { Moment } from '../../kit/data/moment.js';
import { type Column, Table } from '../../kit/data/table.js';
import { Pane } from '../../kit/pane.js';
import {
  KEY_WORDS,
  countConnections,
  mayBeWithdrawn,
  rotateKey,
  type SigningKey,
  signsAtOnce,
  withdrawKey,
} from '../../model/console/pages/keys.js';
import { tellFound } from '../../model/console/announced.js';
import { Pager } from '../../model/console/pager.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, footOf, TroubleLine } from '../parts.js';

const TONES: Record<SigningKey['state'], BadgeTone> = {
  announced: 'plain',
  signing: 'good',
  verifying: 'warn',
  retired: 'plain',
  withdrawn: 'bad',
};

export function KeysPage({ console, rights }: PageProps) {
  const pager = useMemo(
    () => new Pager<SigningKey>(console.caller, () => '/v1/admin/keys', null),
    [console],
  );
  useEffect(() => tellFound(console.said, pager, 'key'), [console, pager]);
  useEffect(() => void pager.open({}), [pager]);
  const again = (): unknown => pager.again();
  const withdraw = async (key: SigningKey) => {
    const connections = await countConnections(console.caller).catch(() => undefined);
    console.begin(withdrawKey(key, connections), again);
  };
  const rows = pager.items.value;
  const columns: Column<SigningKey>[] = [
    { title: 'Key', cell: ({ kid }) => <Id id={kid} of="key" tabIndex={-1} /> },
    {
      title: 'State',
      wide: true,
      cell: ({ state }) => (
        <>
          <Badge tone={TONES[state]} text={state} /> <small>{KEY_WORDS[state]}</small>
        </>
      ),
    },
    { title: 'Algorithm', from: 'm', cell: ({ alg }) => alg },
    { title: 'Made', from: 'm', cell: ({ created_at: at }) => <Moment at={at} /> },
    {
      title: 'Signed from',
      from: 'l',
      cell: (key) => (signsAtOnce(key) ? 'at once' : <Moment at={key.signs_from} />),
    },
    { title: 'Retired', from: 'l', cell: ({ retired_at: at }) => <Moment at={at} /> },
    ...(rights.may('withdraw_key', { tenantId: null })
      ? [
          {
            title: 'Do',
            cell: (key: SigningKey) =>
              mayBeWithdrawn(key) ? (
                <Button look="quiet" onClick={() => void withdraw(key)}>
                  Withdraw …
                </Button>
              ) : null,
          },
        ]
      : []),
  ];
  return (
    <Pane
      label="Signing keys"
      title="Signing keys"
      aside={
        <>
          <CopyAs
            console={console}
            asks={[{ method: 'GET', path: '/v1/admin/keys' }]}
            cli="npx wardroom keys"
          />
          {rights.may('rotate_key', { tenantId: null }) ? (
            <Button look="accent" onClick={() => console.begin(rotateKey(), again)}>
              Rotate …
            </Button>
          ) : null}
        </>
      }
    >
      <TroubleLine trouble={pager.trouble.value} again={again} />
      <Table
        label="Signing keys"
        columns={columns}
        rows={rows}
        keyOf={({ kid }) => kid}
        foot={footOf(pager.state.value, rows.length, 'key')}
      />
      <p class="note">
        Keys rotate by themselves as they age. Rotate by hand when you like, and withdraw a key that
        may have been stolen.
      </p>
    </Pane>
  );
}
