-- Where in the log a time is: the order of the events is that of `seq`, and clocks may be set back.
CREATE INDEX events_by_time ON events (time);
