/** Plays one case of a script against a driver. */
import { Driver } from './driver.js';
import { type Case, type Json, Names, type Step } from './script.js';

const WAIT_MS = 5000;

export async function runCase({ client, steps }: Case): Promise<void> {
  const driver = await Driver.start(client);
  const names = new Names();
  try {
    for (const [at, step] of steps.entries()) {
      const fault = await play(driver, names, step).catch((error: unknown) => String(error));
      if (typeof fault === 'string')
        throw new Error(`step ${at + 1} ${JSON.stringify(step)}: ${fault}`);
    }
  } finally {
    await driver.stop();
  }
}

/** Answers a text when something is not as the step says. */
async function play(driver: Driver, names: Names, step: Step): Promise<unknown> {
  switch (step.step) {
    case 'call':
      return driver.call(step['do'], step['room'], names.meant(step['args'] ?? {}), step['as']);
    case 'result': {
      const result = await soon(driver.results.get(step['of'] as string));
      const { ok, error } = step;
      return names.difference(ok === undefined ? { error } : { ok }, result);
    }
    case 'event': {
      const event = await soon(driver.events(step['name'], step['room']).next());
      return names.difference(step['match'] ?? {}, event);
    }
    case 'state':
      await driver.settled();
      return names.difference(step['is'], driver.client.state);
    case 'asked':
      return names.difference(step['reasons'], driver.asked);
    case 'nothing':
      await driver.settled();
      return nothing(driver);
    case 'advance':
      await driver.rested();
      return driver.clock.advance(step['ms'] as number);
    case 'sleep':
      await driver.rested();
      return driver.clock.sleep(step['ms'] as number);
    case 'hold_lock':
      return driver.holdLock();
    case 'break_storage':
      return driver.breakStorage();
    default:
      return serve(driver, names, step);
  }
}

/** The steps of the server. */
async function serve(driver: Driver, names: Names, step: Step): Promise<unknown> {
  switch (step.step) {
    case 'accept':
      return accept(driver, names, step);
    case 'frame':
      return names.difference(step['match'], await soon(driver.peer!.frames.next()));
    case 'any_order': {
      const wanted = step['frames'] as Json[];
      const frames: Json[] = [];
      while (frames.length < wanted.length) frames.push(await soon(driver.peer!.frames.next()));
      const missing = wanted.find((want) => frames.every((frame) => names.difference(want, frame)));
      return missing && `no ${JSON.stringify(missing)} in ${JSON.stringify(frames)}`;
    }
    case 'send':
      return driver.peer!.send(...(names.meant(step['frames']) as Json[]));
    case 'send_text':
      return driver.peer!.socket.send(step['text'] as string);
    case 'close': {
      const { status, reason } = step;
      const text = typeof reason === 'string' ? reason : JSON.stringify(reason);
      return driver.peer!.socket.close(status as number, text);
    }
    case 'cut':
      return driver.peer!.cut();
    case 'request': {
      const { step: _, ...wanted } = step;
      const request = (driver.request = await soon(driver.server.calls.next()));
      const { method, url: path, headers, body } = request;
      return names.difference(wanted, { method, path, headers, body });
    }
    case 'respond':
      return driver.request!.answer(step['status'] as number, names.meant(step['body']) as Json);
    default:
      return `no such step: ${step.step}`;
  }
}

async function accept(driver: Driver, names: Names, step: Step): Promise<string | undefined> {
  const peer = (driver.peer = await soon(driver.server.peers.next()));
  const { path, protocol, token } = step;
  if (path !== undefined && peer.url !== path) return `the path is ${peer.url}`;
  if (protocol !== undefined && peer.socket.protocol !== protocol)
    return `the protocol is ${peer.socket.protocol}`;
  if (token === undefined) return undefined;
  peer.send(names.meant({ $like: 'hello' }) as Json);
  const wrong = names.difference({ type: 'auth', token }, await soon(peer.frames.next()));
  peer.send(names.meant({ $like: 'auth_ok', ...(step['auth_ok'] as Json | undefined) }) as Json);
  return wrong;
}

function nothing({ peer, server, heard }: Driver): string | undefined {
  if (heard.length > 0) return `there is ${heard.join()}`;
  if ((peer?.frames.size ?? 0) > 0) return 'there is a frame';
  if (server.calls.size > 0) return 'there is a request';
  return server.peers.size > 0 ? 'there is a connection' : undefined;
}

async function soon<T>(promise: Promise<T> | undefined): Promise<T> {
  if (!promise) throw new Error('no such result');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it did not come')), WAIT_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
