/** The REST calls of this folder, for OpenAPI and the docs. */
import { emptyBody } from '../platform/zod.js';
import { receiptSchema } from '../authority/receipt.schema.js';
import { operation } from '../platform/http/operation.js';
import type { Operation } from '../platform/http/operation.js';
import { pageQuery, waitQuery } from '../platform/zod.js';
import {
  changedMemberSchema,
  memberPageSchema,
  memberPatchSchema,
  memberSchema,
  newMemberSchema,
} from './members/member.schema.js';
import {
  changeAckSchema,
  historyQuerySchema,
  messagePageSchema,
  messagePatchSchema,
  newMessageSchema,
  publishAckSchema,
} from './events/message.schema.js';
import {
  changedRoomSchema,
  newRoomSchema,
  roomPageSchema,
  roomPatchSchema,
  roomSchema,
} from './room.schema.js';

const ROOM = '/v1/rooms/{room}';
const KEY = { 'Idempotency-Key': 'the `op_id`: the same key and content have one effect' };

export const ROOM_OPERATIONS: readonly Operation[] = [
  operation('get', '/v1/rooms', 'rooms the caller may see', {
    query: pageQuery,
    answers: { 200: roomPageSchema },
  }),
  operation('post', '/v1/rooms', 'make a room; 200 with the direct room that is there already', {
    body: newRoomSchema,
    answers: { 201: roomSchema, 200: roomSchema },
    errors: ['slug_taken', 'quota_exceeded', 'not_found', 'guest_read_only', 'role_required'],
  }),
  operation('get', ROOM, 'a room, with what the caller may do in it', {
    answers: { 200: roomSchema },
  }),
  operation('patch', ROOM, 'change its settings', {
    authority: true,
    body: roomPatchSchema,
    query: waitQuery,
    answers: { 200: changedRoomSchema },
    errors: ['slug_taken', 'not_a_member', 'guest_read_only', 'role_required'],
  }),
  operation('delete', ROOM, 'delete it', {
    authority: true,
    query: waitQuery,
    answers: { 200: receiptSchema },
    errors: ['not_a_member', 'guest_read_only', 'role_required'],
  }),
  operation('post', `${ROOM}/join`, 'become a member of a public room', {
    authority: true,
    body: emptyBody,
    answers: { 200: memberSchema },
    errors: ['guest_read_only', 'role_required'],
  }),
  operation('post', `${ROOM}/leave`, 'be a member no longer', {
    authority: true,
    body: emptyBody,
    query: waitQuery,
    answers: { 200: receiptSchema },
    errors: ['last_owner', 'not_a_member', 'guest_read_only', 'role_required'],
  }),
  operation('get', `${ROOM}/members`, 'its members; bans for those who can take them back', {
    query: pageQuery,
    answers: { 200: memberPageSchema },
  }),
  operation('post', `${ROOM}/members`, 'add a user; 200 when in that role already', {
    authority: true,
    body: newMemberSchema,
    answers: { 201: changedMemberSchema, 200: changedMemberSchema },
    errors: ['not_a_member', 'guest_read_only', 'role_required'],
  }),
  operation('patch', `${ROOM}/members/{user}`, 'change role, mute, ban', {
    authority: true,
    body: memberPatchSchema,
    query: waitQuery,
    answers: { 200: changedMemberSchema },
    errors: ['last_owner', 'not_a_member', 'guest_read_only', 'role_required'],
  }),
  operation('delete', `${ROOM}/members/{user}`, 'remove a member', {
    authority: true,
    query: waitQuery,
    answers: { 200: receiptSchema },
    errors: ['last_owner', 'not_a_member', 'guest_read_only', 'role_required'],
  }),
  operation('get', `${ROOM}/messages`, 'history, newest first; with `after` oldest first', {
    query: historyQuerySchema,
    answers: { 200: messagePageSchema },
  }),
  operation('post', `${ROOM}/messages`, 'publish; 200 for an `op_id` that was published before', {
    body: newMessageSchema,
    headers: KEY,
    answers: { 201: publishAckSchema, 200: publishAckSchema },
    errors: [
      'op_conflict',
      'kind_refused',
      'not_a_member',
      'read_only',
      'muted',
      'guest_read_only',
    ],
  }),
  operation('patch', `${ROOM}/messages/{id}`, 'edit', {
    body: messagePatchSchema,
    headers: KEY,
    answers: { 200: changeAckSchema },
    errors: [
      'op_conflict',
      'not_a_member',
      'read_only',
      'muted',
      'role_required',
      'guest_read_only',
    ],
  }),
  operation('delete', `${ROOM}/messages/{id}`, 'delete', {
    answers: { 200: changeAckSchema },
    errors: ['not_a_member', 'role_required', 'guest_read_only'],
  }),
];
