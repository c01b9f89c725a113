import { describe, expect, test } from '@jest/globals';
import { Controller, Get, Patch, Post } from '@nestjs/common';
import { HTTP_CODE_METADATA } from '@nestjs/common/constants.js';
import * as z from 'zod';
import { Operation, declarationOf, operationsOf } from '../../../src/platform/http/operation.js';
import { ZodBody, ZodQuery } from '../../../src/platform/zod.js';

const body = z.strictObject({ name: z.string() });
const query = z.strictObject({ limit: z.string() });
const answer = z.object({});

@Controller('v1/things')
class Things {
  @Get()
  @Operation({ summary: 'list', auth: 'public', answers: { 200: answer, 503: answer } })
  list(@ZodQuery(query) given: object): object {
    return given;
  }

  @Operation({
    summary: 'change',
    authority: true,
    answers: { 200: answer },
    errors: ['role_required'],
  })
  @Patch(':thing/parts/:part')
  change(@ZodBody(body) given: object, @ZodQuery(query) asked: object): object {
    return { given, asked };
  }

  @Post()
  @Operation({ summary: 'make', answers: { 200: answer, 201: answer } })
  make(@ZodBody(body) given: object): object {
    return given;
  }

  notCalled(): void {}
}

@Controller()
class Undeclared {
  @Get('open')
  open(): void {}
}

describe('@Operation', () => {
  test('makes an operation of the decorators of a handler, in the order of the handlers', () => {
    expect(operationsOf(Things)).toEqual([
      {
        method: 'get',
        path: '/v1/things',
        summary: 'list',
        auth: 'public',
        answers: { 200: answer, 503: answer },
        errors: [],
        query,
      },
      {
        method: 'patch',
        path: '/v1/things/{thing}/parts/{part}',
        summary: 'change',
        auth: 'bearer',
        authority: true,
        answers: { 200: answer },
        errors: ['role_required'],
        body,
        query,
      },
      {
        method: 'post',
        path: '/v1/things',
        summary: 'make',
        auth: 'bearer',
        answers: { 200: answer, 201: answer },
        errors: [],
        body,
      },
    ]);
  });

  test('sets the status of success: 201 where something can be created', () => {
    const statusOf = (name: 'list' | 'change' | 'make'): unknown =>
      Reflect.getMetadata(HTTP_CODE_METADATA, Things.prototype[name]);
    expect([statusOf('list'), statusOf('change'), statusOf('make')]).toEqual([200, 200, 201]);
  });

  test('is missed loudly: by the list of operations, and by the guard', () => {
    expect(() => operationsOf(Undeclared)).toThrow('the handler open has no @Operation');
    expect(() => declarationOf(Undeclared.prototype['open'])).toThrow('open has no @Operation');
  });
});
