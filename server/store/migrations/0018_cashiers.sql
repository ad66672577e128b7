-- Who works at the tills of a store, and how its tills work. pin is the slow salted
-- hash of the PIN as stores are told it. manager_until is when somebody stopped being
-- a manager: 0 never was one, 2^63-1 is one.
CREATE TABLE cashiers (
  id BYTEA NOT NULL PRIMARY KEY,
  store BYTEA NOT NULL,
  name TEXT NOT NULL,
  folded TEXT NOT NULL,
  role SMALLINT NOT NULL,
  active SMALLINT NOT NULL,
  pin BYTEA NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  pin_set_at BIGINT NOT NULL,
  manager_until BIGINT NOT NULL,
  UNIQUE (store, folded)
);

CREATE INDEX cashiers_store ON cashiers (store, id);

-- Every version of a store's rules, the highest in force.
CREATE TABLE till_rules (
  store BYTEA NOT NULL,
  version BIGINT NOT NULL,
  body BYTEA NOT NULL,
  by_person BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (store, version)
);
