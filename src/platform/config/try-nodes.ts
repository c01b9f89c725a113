/** Names the nodes that the try-out page shows. The launcher of two nodes sets it. */
import * as z from 'zod';

const loopbackUrl = z
  .url({ protocol: /^http$/, hostname: /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/ })
  .transform((text) => text.replace(/\/$/, ''));
/** `TRY_NODES`: the nodes of a try-out, all of this machine. */
export const tryNodes = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'not JSON' });
      return z.NEVER;
    }
  })
  .pipe(
    z
      .array(
        z.strictObject({
          name: z.string().min(1).max(20),
          url: loopbackUrl,
          internal_url: loopbackUrl.nullable(),
        }),
      )
      .min(1)
      .max(9),
  )
  .optional();
