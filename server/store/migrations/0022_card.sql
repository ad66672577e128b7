-- What is known of shoppers with a web card beside what tills are told. email_state: 0
-- none, 1 not confirmed, 2 confirmed.
CREATE TABLE card_holders (
  member BYTEA PRIMARY KEY,
  email TEXT NOT NULL,
  email_state SMALLINT NOT NULL,
  phone TEXT NOT NULL,
  locale TEXT NOT NULL,
  joined_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);

CREATE INDEX card_holders_email ON card_holders (email);

-- Whose a confirmed address is.
CREATE TABLE card_addresses (
  email TEXT PRIMARY KEY,
  member BYTEA NOT NULL
);

-- What a shopper agreed to or took back, each time.
CREATE TABLE card_consents (
  id BYTEA PRIMARY KEY,
  member BYTEA NOT NULL,
  purpose TEXT NOT NULL,
  given SMALLINT NOT NULL,
  wording TEXT NOT NULL,
  at BIGINT NOT NULL
);

CREATE INDEX card_consents_member ON card_consents (member, id);

-- Links sent by mail; hash is of the secret in the link.
CREATE TABLE card_links (
  hash BYTEA PRIMARY KEY,
  member BYTEA NOT NULL,
  email TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL
);

CREATE INDEX card_links_member ON card_links (member);

-- Browsers that show a card; hash is of the secret in the cookie.
CREATE TABLE card_sessions (
  hash BYTEA PRIMARY KEY,
  member BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL
);

CREATE INDEX card_sessions_member ON card_sessions (member);

-- The outbox. state: 1 waiting, 2 sent, 3 failed.
CREATE TABLE mails (
  id BYTEA PRIMARY KEY,
  to_address TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  state SMALLINT NOT NULL,
  attempts BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  sent_at BIGINT NOT NULL,
  failure TEXT NOT NULL
);

CREATE INDEX mails_due ON mails (due_at) WHERE state = 1;
