-- Every version of how the programme looks, the highest in force. body is JSON; logo, icon
-- and strip are ids of pictures, empty for the built-in ones.
CREATE TABLE looks (
  version BIGINT NOT NULL PRIMARY KEY,
  body BYTEA NOT NULL,
  logo BYTEA NOT NULL,
  icon BYTEA NOT NULL,
  strip BYTEA NOT NULL,
  by_person BYTEA NOT NULL,
  by_name TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- Pictures as kept; id is the SHA-256 of png.
CREATE TABLE look_pictures (
  id BYTEA NOT NULL PRIMARY KEY,
  png BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);
