-- Which handshake is a reconnect: the last end of a connection of the same session.
CREATE INDEX connection_ends_session ON connection_ends (session_id, at) WHERE session_id IS NOT NULL;
