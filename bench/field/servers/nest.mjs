/**
 * A Nest gateway as the documentation composes it: `WsAdapter`, the token verified by `JwtService`
 * when the connection opens, and by a guard before each message. Decorators are applied by hand, so
 * that it runs without a build.
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
  WsException,
} from '@nestjs/websockets';
import { SECRET, application, isMember, readJson } from './application.mjs';

class AuthGuard {
  constructor(jwt) {
    this.jwt = jwt;
  }

  async canActivate(context) {
    const client = context.switchToWs().getClient();
    try {
      client.user = (await this.jwt.verifyAsync(client.token)).sub;
      return true;
    } catch {
      throw new WsException('Unauthorized');
    }
  }
}

class ChatGateway {
  rooms = new Map();

  constructor(jwt) {
    this.jwt = jwt;
  }

  async handleConnection(client, request) {
    client.token = request.headers.authorization?.slice('Bearer '.length) ?? '';
    try {
      client.user = (await this.jwt.verifyAsync(client.token)).sub;
      client.send(JSON.stringify({ event: 'welcome', data: client.user }));
    } catch {
      client.close(1008, 'Unauthorized');
    }
  }

  handleDisconnect(client) {
    for (const members of this.rooms.values()) members.delete(client);
  }

  join(client, { room, ref }) {
    if (!isMember(client.user, room)) throw new WsException('Forbidden resource');
    if (!this.rooms.has(room)) this.rooms.set(room, new Set());
    this.rooms.get(room).add(client);
    return { event: 'done', data: { ref } };
  }

  publish(client, { room, body, ref }) {
    const members = this.rooms.get(room);
    if (!members?.has(client)) throw new WsException('Forbidden resource');
    const text = JSON.stringify({ event: 'message', data: { room, sender: client.user, body } });
    for (const member of members) member.send(text);
    return { event: 'done', data: { ref } };
  }
}

for (const name of ['join', 'publish']) {
  const { prototype } = ChatGateway;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  SubscribeMessage(name)(prototype, name, descriptor);
  UseGuards(AuthGuard)(prototype, name, descriptor);
  ConnectedSocket()(prototype, name, 0);
  MessageBody()(prototype, name, 1);
}
for (const wants of [ChatGateway, AuthGuard])
  Reflect.defineMetadata('design:paramtypes', [JwtService], wants);
WebSocketGateway({ path: '/ws' })(ChatGateway);

class AppModule {}
Module({
  imports: [JwtModule.register({ secret: SECRET, verifyOptions: { algorithms: ['HS256'] } })],
  providers: [ChatGateway, AuthGuard],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
const jwt = app.get(JwtService);
const answer = application({ sign: (claims) => jwt.signAsync(claims) });
const http = app.getHttpAdapter();
for (const path of ['/login', '/rooms', '/logout', '/remove'])
  http.post(path, (request, response) => {
    readJson(request)
      .then((body) => answer(path, body))
      .then(
        (result) => response.json(result),
        () => response.sendStatus(500),
      );
  });
app.useWebSocketAdapter(new WsAdapter(app));
await app.listen(Number(process.env.PORT), '127.0.0.1');
