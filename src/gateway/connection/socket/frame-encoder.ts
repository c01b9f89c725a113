/**
 * An unmasked, final text frame (RFC 6455 section 5.2), built once and written to any number of
 * sockets.
 */
export function encodeTextFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = 0x81;
  if (header === 2) frame[1] = length;
  else if (header === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, header);
  return frame;
}

/** Without content (section 5.5.2). */
export const PING_FRAME = Buffer.from([0x89, 0]);

/** With the content of the ping, at most 125 bytes (section 5.5.3). */
export const encodePong = (data: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0x8a, data.length]), data]);
