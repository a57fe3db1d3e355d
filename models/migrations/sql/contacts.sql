CREATE TABLE contact_imports (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel   text NOT NULL,
    source    text NOT NULL,                 -- the file's name, or "api"
    who       text NOT NULL,
    at        timestamptz NOT NULL,
    rows      int NOT NULL,
    fresh     int NOT NULL,
    refused   int NOT NULL,
    newest_at timestamptz,                   -- the latest contact in it
    finished  bool NOT NULL DEFAULT false
);
CREATE INDEX contact_imports_channel ON contact_imports (channel, at);

CREATE TABLE contacts (                      -- somebody reached out to us by another channel
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel    text NOT NULL,
    caller_key text NOT NULL,                -- of the number, or of the customer's id
    at         timestamptz NOT NULL,
    topic      text NOT NULL,
    import_id  bigint NOT NULL REFERENCES contact_imports (id),
    UNIQUE (channel, caller_key, at)
);
CREATE INDEX contacts_person ON contacts (caller_key, at);

CREATE TABLE parked_contacts (               -- rows that could not be read, with the reason; no number is kept
    import_id bigint NOT NULL REFERENCES contact_imports (id),
    line      bigint NOT NULL,
    reason    text NOT NULL,
    PRIMARY KEY (import_id, line)
);
