/**
 * Takes away what a run made: each tenant is disabled and then deleted. A server that cannot delete
 * tenants keeps them disabled, and the report says so.
 */
import { pause } from './judge.js';
import type { Transport } from './wire/transport.js';
import type { Tenant } from './world.js';

const ASK_EVERY_MS = 250;

type Left = 'erased' | 'being erased' | 'disabled, not erased' | 'left as it is';

/** One line for the report: `3 tenants erased`. */
export async function removeTenants(
  transport: Transport,
  operator: () => Promise<string>,
  tenants: readonly Tenant[],
  withinMs: number,
): Promise<string> {
  const deadline = performance.now() + Math.max(1_000, withinMs);
  const found = await Promise.all(
    tenants.map(({ id }) =>
      remove(transport, operator, id, deadline).catch((): Left => 'left as it is'),
    ),
  );
  if (found.every((word) => word === 'erased'))
    return tenants.length === 1 ? '1 tenant erased' : `${tenants.length} tenants erased`;
  return tenants.map(({ slug }, i) => `${slug} ${found[i]}`).join(', ');
}

async function remove(
  transport: Transport,
  operator: () => Promise<string>,
  id: string,
  deadline: number,
): Promise<Left> {
  const path = `/v1/admin/tenants/${id}`;
  const token = await operator();
  const body = { state: 'disabled' };
  const disabled = await transport.call(path, { method: 'PATCH', token, body });
  if (!disabled.ok) return 'left as it is';
  for (;;) {
    const { status } = await transport.call(path, { method: 'DELETE', token });
    if (status === 404) return 'erased';
    if (status !== 202) return 'disabled, not erased';
    if (performance.now() > deadline) return 'being erased';
    await pause(ASK_EVERY_MS);
  }
}
