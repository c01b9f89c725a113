-- New words wait in a list of the index, and whoever fills it moves them into the tree while the publishers of a node
-- wait. At the default of 4 MB that took 75 ms, at 256 kB 10 to 20 ms and 3 % more CPU (docs/benchmarks-messages.md).
ALTER INDEX room_events_words SET (gin_pending_list_limit = 256);
