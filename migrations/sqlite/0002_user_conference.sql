-- Whose session it is and of which conference, as its client's token says.

ALTER TABLE sessions ADD COLUMN "user" TEXT;
ALTER TABLE sessions ADD COLUMN conference TEXT;

CREATE INDEX sessions_by_user ON sessions ("user") WHERE "user" IS NOT NULL;
CREATE INDEX sessions_by_conference ON sessions (conference) WHERE conference IS NOT NULL;
