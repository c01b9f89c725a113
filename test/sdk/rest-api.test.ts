/** The typed REST calls: their paths, and their types beside the schemas of the server. */
import { expect, test } from '@jest/globals';
import type * as sdk from '@wardroom/client';
import type { Receipt } from '../../src/authority/receipt.schema.js';
import type * as tenantInvites from '../../src/admin/invites/tenant-invite.schema.js';
import type { UserView } from '../../src/admin/users/user.schema.js';
import type { Me } from '../../src/auth/sign-in/sign-in.schemas.js';
import type * as issuers from '../../src/auth/oidc/issuer-sign-in.schemas.js';
import type * as people from '../../src/people/person.schema.js';
import type * as messages from '../../src/rooms/events/message.schema.js';
import type * as roomInvites from '../../src/rooms/invites/invite.schema.js';
import type * as members from '../../src/rooms/members/member.schema.js';
import type * as rooms from '../../src/rooms/room.schema.js';
import type * as sidebar from '../../src/rooms/sidebar/sidebar.schema.js';
import type { SessionView } from '../../src/sessions/session.schema.js';
import type * as z from 'zod';
import { harness } from './harness.js';

const h = harness();

type Same<A, B> = [A, B] extends [B, A] ? 'same' : 'not';
type Fits<A, B> = A extends B ? 'fits' : 'not';
type Item<P extends { items: unknown[] }> = P['items'][number];
type MessagePage = z.infer<typeof messages.messagePageSchema>;

/** Answers have the type of the server's schema; bodies fit into the schemas that check them. */
const types: {
  me: Same<sdk.Me, Me>;
  receipt: Same<sdk.ReceiptView, Receipt>;
  session: Same<sdk.SessionView, SessionView>;
  signInIssuer: Same<sdk.SignInIssuer, Item<issuers.SignInIssuers>>;
  issuerSignIn: Fits<sdk.IssuerSignInFields, z.input<typeof issuers.beginBody>>;
  room: Same<sdk.RoomView, rooms.Room>;
  myRoom: Same<sdk.MyRoom, sidebar.SidebarItem>;
  myRoomPatch: Fits<sdk.MyRoomPatch, sidebar.SidebarPatch>;
  member: Same<sdk.MemberView, members.Member>;
  user: Same<sdk.UserView, UserView>;
  person: Same<sdk.PersonView, people.Person>;
  profilePatch: Fits<sdk.ProfilePatch, people.ProfilePatch>;
  edit: Same<sdk.MessageEdit, messages.Edit>;
  changeAck: Same<sdk.ChangeAck, z.infer<typeof messages.changeAckSchema>>;
  found: Fits<sdk.FoundMessage, Item<messages.SearchPage>>;
  pinned: Fits<sdk.PinnedMessage, Item<messages.PinList>>;
  search: Fits<sdk.SearchQuery, z.input<typeof messages.searchQuerySchema>>;
  history: Fits<MessagePage, sdk.HistoryPage<unknown>>;
  message: Fits<sdk.HistoryMessage<unknown>, MessagePage['items'][number]>;
  roomInvite: Same<sdk.RoomInvite, Item<roomInvites.RoomInvites>>;
  createdRoomInvite: Same<sdk.CreatedRoomInvite, roomInvites.CreatedRoomInvite>;
  newRoomInvite: Fits<sdk.NewRoomInvite, z.input<typeof roomInvites.newRoomInviteSchema>>;
  tenantInvite: Same<sdk.TenantInvite, Item<tenantInvites.TenantInvites>>;
  createdTenantInvite: Same<sdk.CreatedTenantInvite, tenantInvites.CreatedTenantInvite>;
  newTenantInvite: Fits<sdk.NewTenantInvite, z.input<typeof tenantInvites.newTenantInviteSchema>>;
  newRoom: Fits<sdk.NewRoom, z.input<typeof rooms.newRoomSchema>>;
  roomPatch: Fits<sdk.RoomPatch, z.input<typeof rooms.roomPatchSchema>>;
  newMember: Fits<sdk.NewMember, z.input<typeof members.newMemberSchema>>;
  memberPatch: Fits<sdk.MemberPatch, z.input<typeof members.memberPatchSchema>>;
} = {
  me: 'same',
  receipt: 'same',
  session: 'same',
  signInIssuer: 'same',
  issuerSignIn: 'fits',
  room: 'same',
  myRoom: 'same',
  myRoomPatch: 'fits',
  member: 'same',
  user: 'same',
  person: 'same',
  profilePatch: 'fits',
  edit: 'same',
  changeAck: 'same',
  found: 'fits',
  pinned: 'fits',
  search: 'fits',
  history: 'fits',
  message: 'fits',
  roomInvite: 'same',
  createdRoomInvite: 'same',
  newRoomInvite: 'fits',
  tenantInvite: 'same',
  createdTenantInvite: 'same',
  newTenantInvite: 'fits',
  newRoom: 'fits',
  roomPatch: 'fits',
  newMember: 'fits',
  memberPatch: 'fits',
};

test('the types of the SDK are those of the schemas of the server', () => {
  expect(new Set(Object.values(types))).toEqual(new Set(['same', 'fits']));
});

test.each<[string, (api: sdk.Api) => Promise<unknown>, unknown]>([
  ['GET /v1/me', (api) => api.me(), undefined],
  [
    'POST /v1/auth/password',
    (api) => api.changePassword({ current: 'old', new: 'new' }),
    { current: 'old', new: 'new' },
  ],
  ['GET /v1/auth/sessions', (api) => api.sessions.list(), undefined],
  ['DELETE /v1/auth/sessions/s1', (api) => api.sessions.end('s1'), undefined],
  ['GET /v1/rooms?limit=2&cursor=c', (api) => api.rooms.list({ limit: 2, cursor: 'c' }), undefined],
  ['GET /v1/rooms/lobby%2Fx', (api) => api.rooms.get('lobby/x'), undefined],
  [
    'POST /v1/rooms',
    (api) => api.rooms.create({ visibility: 'public', name: 'Lobby' }),
    { visibility: 'public', name: 'Lobby' },
  ],
  ['PATCH /v1/rooms/lobby', (api) => api.rooms.update('lobby', { name: 'New' }), { name: 'New' }],
  ['DELETE /v1/rooms/lobby', (api) => api.rooms.delete('lobby'), undefined],
  ['GET /v1/me/rooms', (api) => api.rooms.mine(), undefined],
  [
    'PATCH /v1/me/rooms/lobby',
    (api) => api.rooms.setMine('lobby', { notify: 'none' }),
    { notify: 'none' },
  ],
  ['POST /v1/rooms/lobby/join', (api) => api.rooms.join('lobby'), {}],
  ['POST /v1/rooms/lobby/leave', (api) => api.rooms.leave('lobby'), {}],
  [
    'GET /v1/rooms/lobby/members?limit=5',
    (api) => api.members.list('lobby', { limit: 5 }),
    undefined,
  ],
  [
    'POST /v1/rooms/lobby/members',
    (api) => api.members.add('lobby', { user: 'u1' }),
    { user: 'u1' },
  ],
  [
    'PATCH /v1/rooms/lobby/members/u1',
    (api) => api.members.update('lobby', 'u1', { banned: true }),
    { banned: true },
  ],
  ['DELETE /v1/rooms/lobby/members/u1', (api) => api.members.remove('lobby', 'u1'), undefined],
  ['GET /v1/users?q=al', (api) => api.users.list({ q: 'al' }), undefined],
  ['GET /v1/users/u1', (api) => api.users.get('u1'), undefined],
  ['PATCH /v1/me', (api) => api.updateMe({ status: null }), { status: null }],
  [
    'POST /v1/rooms/lobby/invites',
    (api) => api.invites.create('lobby', { max_uses: 1 }),
    { max_uses: 1 },
  ],
  ['GET /v1/rooms/lobby/invites', (api) => api.invites.list('lobby'), undefined],
  ['DELETE /v1/rooms/lobby/invites/i1', (api) => api.invites.withdraw('lobby', 'i1'), undefined],
  ['POST /v1/invites/code/accept', (api) => api.invites.accept('code'), {}],
  ['POST /v1/admin/tenants/acme/invites', (api) => api.accounts.invite('acme'), {}],
  ['GET /v1/admin/tenants/acme/invites', (api) => api.accounts.invites('acme'), undefined],
  [
    'DELETE /v1/admin/tenants/acme/invites/i1',
    (api) => api.accounts.withdrawInvite('acme', 'i1'),
    undefined,
  ],
  ['GET /v1/rooms/lobby/messages/m1', (api) => api.messages.get('lobby', 'm1'), undefined],
  ['GET /v1/rooms/lobby/messages/m1/edits', (api) => api.messages.edits('lobby', 'm1'), undefined],
  ['GET /v1/search?q=a+b', (api) => api.messages.search({ q: 'a b' }), undefined],
  ['GET /v1/rooms/lobby/pins', (api) => api.messages.pins('lobby'), undefined],
  ['PUT /v1/rooms/lobby/pins/m1', (api) => api.messages.pin('lobby', 'm1'), {}],
  ['DELETE /v1/rooms/lobby/pins/m1', (api) => api.messages.unpin('lobby', 'm1'), undefined],
  ['GET /v1/admin/tenants/acme/users', (api) => api.accounts.list('acme'), undefined],
  [
    'POST /v1/admin/tenants/acme/users',
    (api) => api.accounts.create('acme', { email: 'a@b.c', password: 'secret pw', name: 'A' }),
    { email: 'a@b.c', password: 'secret pw', name: 'A' },
  ],
  [
    'PATCH /v1/admin/users/u1',
    (api) => api.accounts.update('u1', { state: 'suspended' }),
    { state: 'suspended' },
  ],
])('%s', async (request, ask, body) => {
  const answered = ask(h.client().api);
  const call = await h.server.calls.next();
  expect([`${call.method} ${call.url}`, call.body]).toEqual([request, body]);
  call.answer(200, { answer: 1 });
  expect(await answered).toEqual({ answer: 1 });
});
