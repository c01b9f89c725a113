/**
 * The people of a tenant, for its users. Names come first, in their order, then those who are found
 * by their address alone; each half is one range of an index, read from the cursor on. Names are
 * compared by `fold_name` of the database, addresses in their one form (platform/email.ts).
 *
 * Addresses are for admins: others find somebody by an address that they know as a whole, so that
 * nobody learns one letter by letter.
 */
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { emailBeginning, emailForm } from '../platform/email.js';
import { DomainError } from '../platform/errors.js';
import { Prisma } from '../platform/generated/client.js';
import { Database } from '../platform/stores/database.js';
import { decidePeople } from '../policy/decide-people.js';
import { Decisions } from '../policy/decisions.js';
import { factsWithoutRoom } from '../policy/facts.js';
import type { Principal } from '../sessions/principal.js';
import { roleOfCaller } from '../sessions/role-of-caller.js';
import type { PeopleQuery, Person, PersonPage } from './person.schema.js';

type Row = Required<Person>;
type FoundRow = Row & { by_name: boolean };
type By = 'name' | 'email';

const COLUMNS = Prisma.sql`u.id, u.name, u.avatar, u.status, u.state, u.email`;
/** Operators and auditors are nobody's colleagues. */
const OF_TENANT = (tenantId: string): Prisma.Sql =>
  Prisma.sql`u.tenant_id = ${tenantId}::uuid AND u.role NOT IN ('operator', 'auditor')`;
/** Accounts of backends have a name where they send, and are in no list of people. */
const LISTED = (tenantId: string): Prisma.Sql =>
  Prisma.sql`${OF_TENANT(tenantId)} AND u.role <> 'service'`;
const NAME = Prisma.sql`(fold_name(u.name) COLLATE "C")`;
const EMAIL = Prisma.sql`(u.email COLLATE "C")`;
/** Behind every text that begins so, in byte order. */
const LAST = Prisma.sql`U&'\\+10FFFF'`;
/**
 * Addresses that one page looks at: many of them may be of people who were among the names. Then
 * the page is short, and the next one goes on.
 */
const LOOKED_MAX = 500;

@Injectable()
export class Directory {
  constructor(
    private readonly database: Database,
    private readonly decisions: Decisions,
    private readonly audit: AuditTrail,
  ) {}

  async list(principal: Principal, { q, limit, cursor }: PeopleQuery): Promise<PersonPage> {
    const isAdmin = await this.authorize(principal, null);
    const [by, after = null] = (cursor?.split('_') ?? ['name']) as [By, string?];
    const { tenantId } = principal;
    const named = by === 'email' ? [] : await this.named(tenantId, q, after, limit + 1);
    if (named.length > limit || q === undefined)
      return pageOf(named.slice(0, limit), named.length > limit ? 'name' : null, isAdmin);
    const from = by === 'email' ? after : null;
    const looked = isAdmin
      ? await this.byAddress(tenantId, q, from)
      : await this.atAddress(tenantId, q, from);
    const { shown, edge } = take(looked, limit - named.length);
    const items = [...named, ...shown].map((row) => personOf(row, isAdmin));
    if (edge !== null) return { items, next_cursor: `email_${edge}` };
    // The names filled the page; the addresses are those of the next.
    const isFull = shown.length === 0 && looked.some((row) => !row.by_name);
    return { items, next_cursor: isFull ? `name_${named.at(-1)!.id}` : null };
  }

  async read(principal: Principal, id: string): Promise<Person> {
    const isAdmin = await this.authorize(principal, id);
    const [row] = await this.database.prisma.$queryRaw<Row[]>`
      SELECT ${COLUMNS} FROM users u WHERE u.id = ${id}::uuid AND ${OF_TENANT(principal.tenantId)}`;
    if (row === undefined) throw new DomainError('not_found', { detail: 'no such user' });
    return personOf(row, isAdmin);
  }

  /** Is it an admin, who is shown addresses? That look is recorded. */
  private async authorize(principal: Principal, user: string | null): Promise<boolean> {
    const role = await roleOfCaller(this.database, principal);
    const decision = decidePeople({ role }, 'read_people');
    if (!decision.allow)
      this.decisions.refuse(principal, '', 'read_people', decision, factsWithoutRoom(role));
    if (role !== 'admin') return false;
    const { tenantId: tenant } = principal;
    this.audit.note({ event: 'data_read', tenant, user, detail: { what: 'users', id: user } });
    return true;
  }

  private named(
    tenantId: string,
    q: string | undefined,
    after: string | null,
    limit: number,
  ): Promise<Row[]> {
    const from =
      after === null
        ? Prisma.empty
        : Prisma.sql`AND (${NAME}, u.id) > ((SELECT fold_name(a.name) COLLATE "C" FROM users a WHERE a.id = ${after}::uuid AND a.tenant_id = ${tenantId}::uuid), ${after}::uuid)`;
    return this.database.prisma.$queryRaw<Row[]>`
      SELECT ${COLUMNS} FROM users u
      WHERE ${LISTED(tenantId)} ${q === undefined ? Prisma.empty : Prisma.sql`AND ${beginsWith(q)}`} ${from}
      ORDER BY ${NAME}, u.id LIMIT ${limit}`;
  }

  private byAddress(tenantId: string, q: string, after: string | null): Promise<FoundRow[]> {
    const beginning = emailBeginning(q);
    const from =
      after === null
        ? Prisma.empty
        : Prisma.sql`AND ${EMAIL} > (SELECT a.email COLLATE "C" FROM users a WHERE a.id = ${after}::uuid AND a.tenant_id = ${tenantId}::uuid)`;
    return this.database.prisma.$queryRaw<FoundRow[]>`
      SELECT ${COLUMNS}, ${beginsWith(q)} AS by_name FROM users u
      WHERE ${LISTED(tenantId)} AND ${EMAIL} >= ${beginning}::text AND ${EMAIL} < ${beginning}::text || ${LAST} ${from}
      ORDER BY ${EMAIL} LIMIT ${LOOKED_MAX}`;
  }

  private async atAddress(tenantId: string, q: string, after: string | null): Promise<FoundRow[]> {
    const email = emailForm(q);
    if (email === null || after !== null) return [];
    return this.database.prisma.$queryRaw<FoundRow[]>`
      SELECT ${COLUMNS}, ${beginsWith(q)} AS by_name FROM users u WHERE ${LISTED(tenantId)} AND u.email = ${email}`;
  }
}

const beginsWith = (q: string): Prisma.Sql =>
  Prisma.sql`(${NAME} >= fold_name(${q}::text) AND ${NAME} < fold_name(${q}::text) || ${LAST})`;

/** `edge`: the last one that was looked at, where others follow. */
function take(looked: FoundRow[], limit: number): { shown: FoundRow[]; edge: string | null } {
  const found = looked.filter((row) => !row.by_name);
  const shown = found.slice(0, limit);
  if (found.length > limit) return { shown, edge: shown.at(-1)?.id ?? null };
  return { shown, edge: looked.length === LOOKED_MAX ? looked.at(-1)!.id : null };
}

const pageOf = (rows: Row[], more: By | null, isAdmin: boolean): PersonPage => ({
  items: rows.map((row) => personOf(row, isAdmin)),
  next_cursor: more === null ? null : `${more}_${rows.at(-1)!.id}`,
});

function personOf({ id, name, avatar, status, state, email }: Row, isAdmin: boolean): Person {
  return { id, name, avatar, status, state, ...(isAdmin ? { email } : {}) };
}
