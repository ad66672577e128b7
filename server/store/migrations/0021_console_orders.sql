-- Lists of members are read in pages, the newest first.
CREATE INDEX members_created ON members (created_at, id);
