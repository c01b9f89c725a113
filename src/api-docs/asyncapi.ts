/**
 * AsyncAPI 3 from the frames of the protocol: the WebSocket as one channel, every frame a message,
 * closes as data.
 */
import { CLOSE_CODES } from '@wardroom/protocol/codes';
import { CLIENT_FRAMES, SERVER_FRAMES, closeReasonSchema } from '@wardroom/protocol';
import type { ClientFrameType, ServerFrameType } from '@wardroom/protocol';
import { PROTOCOL, WS_PATH } from '@wardroom/protocol/limits';
import { Examples } from './examples.js';
import { JsonSchemas } from './json-schemas.js';
import type { JsonSchema } from './json-schemas.js';
import { API_VERSION } from '../platform/http/operation.js';

/** The answer to each client frame that is not refused. Exhaustive: a new frame needs a line. */
export const REPLIES: Record<ClientFrameType, readonly ServerFrameType[]> = {
  auth: ['auth_ok', 'goodbye'],
  auth_refresh: ['auth_ok', 'auth_error', 'goodbye'],
  subscribe: ['subscribed'],
  unsubscribe: ['unsubscribed'],
  publish: ['ack'],
  edit: ['ack'],
  delete: ['ack'],
  react: ['ack'],
  signal: ['ack'],
  typing: [],
  read: ['ack'],
  presence: ['presence'],
  watch: ['watching'],
  ping: ['pong'],
};

const CHANNEL = '#/channels/connection';
const messageRef = (name: string) => ({ $ref: `${CHANNEL}/messages/${name}` });
/**
 * Some types of frames exist in both directions (`signal`, `typing`, ...): the direction is part of
 * the message's name.
 */
const nameOf = (side: 'client' | 'server', type: string): string => `${side}_${type}`;

export function asyncApi(serverUrl: string): Record<string, unknown> {
  const schemas = new JsonSchemas();
  const messages: Record<string, unknown> = {};
  const operations: Record<string, unknown> = {};
  for (const [type, schema] of Object.entries(CLIENT_FRAMES)) {
    const name = nameOf('client', type);
    messages[name] = {
      name: type,
      contentType: 'application/json',
      ...shown(schemas.of(schema, 'input'), schemas, 'input'),
    };
    const replies = [...REPLIES[type as ClientFrameType], 'error'].map((reply) =>
      messageRef(nameOf('server', reply)),
    );
    operations[name] = {
      action: 'receive',
      channel: { $ref: CHANNEL },
      messages: [messageRef(name)],
      reply: { channel: { $ref: CHANNEL }, messages: replies },
    };
  }
  for (const [type, schema] of Object.entries(SERVER_FRAMES)) {
    const name = nameOf('server', type);
    messages[name] = {
      name: type,
      contentType: 'application/json',
      ...shown(schemas.of(schema, 'output'), schemas, 'output'),
    };
    operations[name] = { action: 'send', channel: { $ref: CHANNEL }, messages: [messageRef(name)] };
  }
  const reason = schemas.of(closeReasonSchema, 'output');
  const { host, protocol, pathname } = new URL(serverUrl);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Wardroom',
      version: API_VERSION,
      description: `Subprotocol ${PROTOCOL}: text frames, one JSON object each.`,
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      node: {
        host,
        ...(pathname === '/' ? {} : { pathname }),
        protocol: protocol === 'https:' ? 'wss' : 'ws',
        security: [{ $ref: '#/components/securitySchemes/bearer' }],
      },
    },
    channels: {
      connection: {
        address: WS_PATH,
        servers: [{ $ref: '#/servers/node' }],
        messages,
        bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
        'x-subprotocols': [PROTOCOL],
        'x-close-reason': reason,
        'x-close-codes': CLOSE_CODES,
      },
    },
    operations,
    components: {
      schemas: schemas.components,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'or a ticket, a cookie, or the first frame',
        },
      },
    },
  };
}

/** A client may give each of its frames an `id`, and its answer has it. */
function shown(payload: JsonSchema, schemas: JsonSchemas, io: 'input' | 'output') {
  const example = new Examples(schemas.components, io).of(payload) as { type: string };
  const { type, ...rest } = example;
  const hasId = 'id' in ((payload['properties'] ?? {}) as object);
  return { payload, examples: [{ payload: { type, ...(hasId && { id: '1' }), ...rest } }] };
}
