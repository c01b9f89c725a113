/**
 * AES-256-GCM under a key of HKDF-SHA256: how signing keys and refresh successors rest in the
 * database.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** 32 bytes; `purpose` keeps keys for different uses apart. */
export function deriveKey(secret: string | Uint8Array, purpose: string, salt = ''): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, purpose, 32));
}

/**
 * version | nonce | tag | ciphertext. `about` is authenticated: a box moved to another row does not
 * open.
 */
export function seal(key: Buffer, plain: Uint8Array, about: string): Buffer<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(about));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed]);
}

/** Null when the key is another or the box was touched. */
export function unseal(key: Buffer, box: Uint8Array, about: string): Buffer | null {
  if (box.length <= 1 + NONCE_BYTES + TAG_BYTES || box[0] !== VERSION) return null;
  const nonce = box.subarray(1, 1 + NONCE_BYTES);
  const tag = box.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(about))
      .setAuthTag(tag);
    return Buffer.concat([
      decipher.update(box.subarray(1 + NONCE_BYTES + TAG_BYTES)),
      decipher.final(),
    ]);
  } catch {
    return null;
  }
}
