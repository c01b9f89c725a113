/** The questions, in the order in which they are asked and reported. */
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
  'restart',
  'two-nodes',
  'more-nodes',
];
