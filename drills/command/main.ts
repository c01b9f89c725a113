/** The process: `dist/drill.js`. */
import { drillCommand } from './drill-command.js';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => interrupted.abort());

process.exitCode = await drillCommand(process.argv.slice(2), {
  env: process.env,
  signal: interrupted.signal,
  out: (text) => console.log(text),
  err: (text) => console.error(text),
});
