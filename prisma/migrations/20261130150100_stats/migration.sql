-- What the counters of the nodes said, so that the console and the review need no Prometheus.

-- One row for each minute, node and series that moved: the growth of a counter, the value of a gauge. Kept for 26 hours.
CREATE TABLE minute_stats (
  minute timestamptz(3) NOT NULL,
  node   uuid NOT NULL,
  name   text NOT NULL,
  labels jsonb NOT NULL,
  value  double precision NOT NULL,
  PRIMARY KEY (minute, node, name, labels)
);

-- The same of all nodes together, an hour a row. Kept for 100 days: a month is compared with the one before, also at its end.
CREATE TABLE hour_stats (
  hour   timestamptz(3) NOT NULL,
  name   text NOT NULL,
  labels jsonb NOT NULL,
  value  double precision NOT NULL,
  PRIMARY KEY (hour, name, labels)
);

-- The clients that caused most of what the review asks, under a keyed hash. At most 100 of a day and item, for 100 days.
CREATE TABLE review_clients (
  day    timestamptz(3) NOT NULL,
  item   text NOT NULL,
  client text NOT NULL,
  count  bigint NOT NULL,
  PRIMARY KEY (day, item, client)
);
