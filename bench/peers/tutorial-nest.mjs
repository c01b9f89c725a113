/**
 * A Nest gateway as tutorials write it: WsAdapter, JwtService in handleConnection, a guard,
 * `client.send(JSON.stringify(...))` in a loop. Decorators are applied by hand, so that it runs
 * without a build.
 */
import 'reflect-metadata';
import { Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtModule, JwtService } from '@nestjs/jwt';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
} from '@nestjs/websockets';

class AuthenticatedGuard {
  canActivate(context) {
    return context.switchToWs().getClient().user !== undefined;
  }
}

class ChatGateway {
  rooms = new Map();

  constructor(jwt) {
    this.jwt = jwt;
  }

  async handleConnection(client, request) {
    try {
      const claims = await this.jwt.verifyAsync(
        request.headers.authorization.slice('Bearer '.length),
      );
      client.user = { id: claims.sub };
      client.send(JSON.stringify({ event: 'welcome', data: claims.sub }));
    } catch {
      client.close(4401, 'unauthorized');
    }
  }

  handleDisconnect(client) {
    for (const members of this.rooms.values()) members.delete(client);
  }

  join(client, { room }) {
    if (!this.rooms.has(room)) this.rooms.set(room, new Set());
    this.rooms.get(room).add(client);
    return { event: 'joined', data: room };
  }

  publish(client, { room, body }) {
    for (const member of this.rooms.get(room) ?? [])
      member.send(
        JSON.stringify({ event: 'message', data: { room, sender: client.user.id, body } }),
      );
  }
}

for (const name of ['join', 'publish']) {
  const { prototype } = ChatGateway;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  SubscribeMessage(name)(prototype, name, descriptor);
  UseGuards(AuthenticatedGuard)(prototype, name, descriptor);
  ConnectedSocket()(prototype, name, 0);
  MessageBody()(prototype, name, 1);
}
Reflect.defineMetadata('design:paramtypes', [JwtService], ChatGateway);
WebSocketGateway({ path: '/ws', perMessageDeflate: false })(ChatGateway);

class AppModule {}
Module({
  imports: [
    JwtModule.register({
      publicKey: process.env.PUBLIC_KEY,
      verifyOptions: { algorithms: ['ES256'] },
    }),
  ],
  providers: [ChatGateway, AuthenticatedGuard],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.useWebSocketAdapter(new WsAdapter(app));
await app.listen(Number(process.env.PORT), '127.0.0.1');
