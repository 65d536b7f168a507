-- Where the client is, by its address: an ISO 3166-1 code, and an English name.

ALTER TABLE sessions ADD COLUMN country TEXT;
ALTER TABLE sessions ADD COLUMN city TEXT;
