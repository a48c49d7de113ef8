-- Where in the log a time is: the order of the events is that of `seq`, and clocks may be set back.
CREATE INDEX events_by_time ON events (time);

-- What waits: few of many mails.
CREATE INDEX mails_open ON mails (node) WHERE state = 'open';
