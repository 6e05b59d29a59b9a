-- Never applied: see README.md.
CREATE TABLE broken (id integer);

INSERT INTO broken (no_such_column) VALUES (1);
