/** Every REST call of the product. */
import { AUTH_OPERATIONS } from '../auth/http/auth.operations.js';
import type { Operation } from '../platform/http/operation.js';
import { ROOM_OPERATIONS } from '../rooms/rooms.operations.js';
import { ADMIN_OPERATIONS } from '../admin/admin.operations.js';

export const OPERATIONS: readonly Operation[] = [
  ...AUTH_OPERATIONS,
  ...ROOM_OPERATIONS,
  ...ADMIN_OPERATIONS,
];
