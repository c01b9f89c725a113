/** The process: `dist/drill.js`. */
import { drillCommand } from './drill-command.js';

process.exitCode = await drillCommand(process.argv.slice(2), {
  env: process.env,
  out: (text) => console.log(text),
  err: (text) => console.error(text),
});
