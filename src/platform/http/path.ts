/**
 * Things named in a path. A text that can be neither an id nor a slug names nothing: 404, before
 * any store is read.
 */
import { Param } from '@nestjs/common';
import type { PipeTransform } from '@nestjs/common';
import { DomainError } from '../errors.js';
import { isId } from '../ids.js';
import { isRef } from '../text.js';

class NamePipe implements PipeTransform<string, string> {
  constructor(private readonly names: (text: string) => boolean) {}

  transform(text: string): string {
    if (!this.names(text)) throw new DomainError('not_found', { detail: 'the path names nothing' });
    return text;
  }
}

const [idPipe, refPipe] = [new NamePipe(isId), new NamePipe(isRef)];

/** `@IdParam('user') user: string` */
export const IdParam = (name: string): ParameterDecorator => Param(name, idPipe);

/** By id or slug: `@RefParam('room') room: string` */
export const RefParam = (name: string): ParameterDecorator => Param(name, refPipe);
