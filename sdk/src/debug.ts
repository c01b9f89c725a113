/** Receives one line for each step of the client, when `debug` is switched on. */
export type Debug = (line: string) => void;
export type DebugOption = boolean | Debug;

/** Fields that hold no secret and nobody's words. Everything else of a frame is left out. */
const SHOWN = [
  'id',
  'room',
  'seq',
  'epoch',
  'code',
  'action',
  'op_id',
  'message_id',
  'since',
  'recovered',
  'replayed',
  'reset',
  'retry_after_ms',
  'refresh_after_ms',
  'expires_in_ms',
  'close_id',
];

export function readDebug(option: DebugOption | undefined): Debug | undefined {
  if (typeof option === 'function') return option;
  return option ? (line) => console.debug(`wardroom: ${line}`) : undefined;
}

/** The type of a frame and the fields of `SHOWN`: never a token, a ticket or a body. */
export function describeFrame(frame: object): string {
  const fields = frame as Record<string, unknown>;
  const shown = SHOWN.filter((name) => fields[name] !== undefined).map(
    (name) => `${name}=${String(fields[name])}`,
  );
  return [String(fields['type']), ...shown].join(' ');
}
