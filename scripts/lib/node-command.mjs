/**
 * How a node is started, by `npm start`, the tests and the benchmarks as by the image (Dockerfile).
 */
import { join } from 'node:path';

/**
 * Objects that thousands of connections keep must not decide where the same lines allocate for each
 * message (ADR 0015). V8 takes such a flag on its command line only.
 */
export const nodeFlags = ['--no-allocation-site-pretenuring'];

/** Arguments of Node for the service that was built in `folder`. */
export const serviceArgs = (folder) => [...nodeFlags, join(folder, 'dist/main.js')];
