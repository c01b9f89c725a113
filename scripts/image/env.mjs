/**
 * `.env` as somebody fills it in from .env.example: each value takes the place of the line that
 * names it, commented out or not.
 * @param {string} example
 * @param {Record<string, string>} values
 */
export function envFrom(example, values) {
  let env = example;
  for (const [name, value] of Object.entries(values)) {
    const line = new RegExp(`^(?:# )?${name}=.*$`, 'm');
    if (!line.test(env)) throw new Error(`.env.example does not name ${name}`);
    env = env.replace(line, () => `${name}=${value}`);
  }
  return env;
}
