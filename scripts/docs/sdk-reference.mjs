/**
 * The reference of the SDK, from its sources: each public method, property, event and option with
 * its signature and the comment above it. A public member without a comment is an error.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../lib/install.mjs';

/** Table: the declarations that it shows, in order, as `file: name`. */
const SOURCES = {
  'sdk-client': ['client.ts: CoreClient', 'full-client.ts: WardroomClient'],
  'sdk-client-events': ['client.ts: ClientEvents'],
  'sdk-client-options': ['options.ts: ClientOptions'],
  'sdk-session': ['session/session.ts: WardroomSession'],
  'sdk-session-events': ['session/session.ts: SessionEvents'],
  'sdk-session-options': ['session/session.ts: SessionOptions'],
  'sdk-room': ['room/room.ts: Room', 'room/full-room.ts: FullRoom'],
  'sdk-room-events': ['room/subscription.ts: RoomEvents'],
  'sdk-timeline': ['timeline/store.ts: Store', 'timeline/timeline.ts: Timeline'],
  'sdk-timeline-options': ['timeline/timeline.ts: TimelineOptions'],
  'sdk-timeline-snapshot': ['timeline/timeline.ts: TimelineSnapshot'],
  'sdk-timeline-message': ['timeline/timeline-message.ts: TimelineMessage'],
  'sdk-people': ['timeline/people.ts: People', 'timeline/people.ts: PeopleSnapshot'],
  'sdk-rooms': ['timeline/room-list.ts: RoomList', 'timeline/room-list.ts: RoomListSnapshot'],
  'sdk-api': ['rest/api.ts: Api'],
};

/** Name of a table: function that answers its rows. */
export const sdkTables = Object.fromEntries(
  Object.entries(SOURCES).map(([name, declarations]) => [
    name,
    () => {
      /** @type {Record<string, string>} */
      const rows = Object.fromEntries(declarations.flatMap(rowsOf));
      return Object.entries(rows).map(([member, meaning]) => [`\`${member}\``, meaning]);
    },
  ]),
);

function rowsOf(declaration) {
  const [file, name] = declaration.split(': ');
  const text = readFileSync(join(root, 'sdk/src', file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = source.statements.filter(hasMembers).find((one) => one.name?.text === name);
  if (!found) throw new Error(`sdk/src/${file} declares no ${name}`);
  return found.members.flatMap((member) => {
    if (!isPublic(member)) return [];
    const meaning = commentOf(member);
    const row = signatureOf(member);
    if (meaning === undefined && !isOverride(member))
      throw new Error(`sdk/src/${file}: ${name}.${member.name.text} has no comment`);
    return meaning === undefined ? [] : [[row, meaning], ...innerRows(member, row)];
  });
}

const hasMembers = (statement) =>
  ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement);

function isPublic(member) {
  if (!member.name || ts.isPrivateIdentifier(member.name) || ts.isConstructorDeclaration(member))
    return false;
  return !has(member, ts.SyntaxKind.PrivateKeyword) && !has(member, ts.SyntaxKind.ProtectedKeyword);
}

const has = (member, kind) => member.modifiers?.some((modifier) => modifier.kind === kind) ?? false;
const isOverride = (member) => has(member, ts.SyntaxKind.OverrideKeyword);

/** `publish(body, { kind?, opId? }?)`; of a property its name alone. */
function signatureOf(member) {
  const name = `${member.name.text}${member.questionToken ? '?' : ''}`;
  const call = ts.isMethodDeclaration(member) ? member : functionIn(member);
  if (!call) return name;
  return `${name}(${call.parameters.map(parameterOf).join(', ')})`;
}

/** A property whose value is a function. */
function functionIn(member) {
  const value = member.initializer;
  return value && ts.isArrowFunction(value) ? value : undefined;
}

function parameterOf(parameter) {
  const optional = (parameter.questionToken ?? parameter.initializer) ? '?' : '';
  if (!ts.isObjectBindingPattern(parameter.name)) return parameter.name.getText() + optional;
  const fields = parameter.name.elements.map(({ propertyName, name, initializer }) => {
    const field = (propertyName ?? name).getText();
    return `${field}${optional || initializer ? '?' : ''}`;
  });
  return `{ ${fields.join(', ')} }${optional}`;
}

/** The calls of a group such as `api.rooms`. */
function innerRows(member, row) {
  const value = member.initializer;
  if (!value || !ts.isObjectLiteralExpression(value)) return [];
  return value.properties.filter(ts.isPropertyAssignment).map((property) => {
    const parameters = functionIn(property).parameters.map(parameterOf).join(', ');
    return [`${row}.${property.name.getText()}(${parameters})`, commentOf(property) ?? ''];
  });
}

/** The words above it on one line, as a cell of a table. */
function commentOf(node) {
  const [docs] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = docs && ts.getTextOfJSDocComment(docs.comment);
  return text?.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}
