-- Which of several HQ processes does a background task. A contender takes a lease
-- over when it has seen the same beat for too long by its own clock, so no two
-- clocks are ever compared.
CREATE TABLE leases (
  name TEXT NOT NULL PRIMARY KEY,
  holder BYTEA NOT NULL,
  beat BIGINT NOT NULL
);
