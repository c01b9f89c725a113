/**
 * The password of whoever is at the command: WARDROOM_PASSWORD, the first line of the input
 * (`--password-stdin`), or the terminal without an echo.
 */
import { CliError } from './client.mjs';

/** @param {Record<string, any>} flags */
export const mayAskPassword = ({ 'password-stdin': piped }) =>
  piped === true || process.env.WARDROOM_PASSWORD !== undefined || process.stdin.isTTY;

/**
 * @param {string} question
 * @param {Record<string, any>} flags
 * @returns {Promise<string>}
 */
export async function readPassword(question, flags) {
  if (flags['password-stdin'] === true) return firstLine();
  return process.env.WARDROOM_PASSWORD ?? askHidden(question);
}

let piped;
/** Read once: whoever asks again gets the same. */
const firstLine = () => (piped ??= readFirstLine());

async function readFirstLine() {
  let text = '';
  for await (const piece of process.stdin.setEncoding('utf8')) {
    text += piece;
    if (text.includes('\n') || text.length > CHARS_MAX) break;
  }
  const [line] = text.split(/\r?\n/);
  if (line === '') throw new CliError(2, '--password-stdin: nothing came.');
  return line;
}
const CHARS_MAX = 4_096;

/** Ends at the end of the line. */
async function askHidden(question) {
  const { stdin } = process;
  if (!stdin.isTTY)
    throw new CliError(
      2,
      'No terminal to ask for the password: set WARDROOM_PASSWORD, or give --password-stdin.',
    );
  process.stderr.write(question);
  stdin.setRawMode(true).setEncoding('utf8');
  let answer = '';
  try {
    for await (const text of stdin)
      for (const character of text) {
        if (character === '\r' || character === '\n') return answer;
        if (character === '\u0003') throw new CliError(3, 'Interrupted.');
        answer = character === '\u007f' ? answer.slice(0, -1) : answer + character;
      }
    return answer;
  } finally {
    stdin.setRawMode(false).pause();
    process.stderr.write('\n');
  }
}
