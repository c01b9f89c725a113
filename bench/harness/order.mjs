/**
 * The questions, in the order in which they are asked and reported. `restart` comes last: for half
 * a minute a node that was killed counts as one that may serve, so what is published in the same
 * world is told to Redis, and costs more.
 */
export const ORDER = [
  'fan-out',
  'one-in-flight',
  'big-room',
  'growth',
  'many-rooms',
  'publish-rate',
  'steady-rate',
  'fairness',
  'connect-storm',
  'idle-memory',
  'end-session',
  'two-nodes',
  'more-nodes',
  'restart',
];
