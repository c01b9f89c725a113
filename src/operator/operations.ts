/** Every REST call of the product. */
import { AUTH_OPERATIONS } from '../auth/auth.operations.js';
import type { Operation } from '../platform/operation.js';
import { ROOM_OPERATIONS } from '../rooms/rooms.operations.js';
import { OPERATOR_OPERATIONS } from './operator.operations.js';

export const OPERATIONS: readonly Operation[] = [...AUTH_OPERATIONS, ...ROOM_OPERATIONS, ...OPERATOR_OPERATIONS];
