/**
 * Questions between nodes, and slices of their answers. Nodes of other versions may send others: an
 * unknown one is ignored as a whole.
 */
import * as z from 'zod';

export const QUESTION_KINDS = ['status', 'connections', 'connection', 'close', 'counts'] as const;
export type QuestionKind = (typeof QUESTION_KINDS)[number];

const questionSchema = z.object({
  id: z.uuid(),
  kind: z.enum(QUESTION_KINDS),
  /** Null: every node. */
  to: z.uuid().nullable(),
  body: z.unknown(),
});
export type Question = z.infer<typeof questionSchema>;

const sliceSchema = z.object({
  question: z.uuid(),
  /** Counts from 0: a slice that is missing makes the answer worthless. */
  n: z.int().min(0),
  last: z.boolean(),
  items: z.array(z.unknown()),
});
export type Slice = z.infer<typeof sliceSchema>;

export const readQuestion = (value: unknown): Question | undefined =>
  questionSchema.safeParse(value).data;
export const readSlice = (value: unknown): Slice | undefined => sliceSchema.safeParse(value).data;
