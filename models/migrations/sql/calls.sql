-- A caller's number, sealed for delivery; everything else goes by its keyed hash.
CREATE TABLE numbers (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number_key   text NOT NULL UNIQUE,
    sealed       bytea,                      -- emptied when no longer needed
    last_seen_at timestamptz NOT NULL
);

CREATE TABLE linked_keys (                   -- a caller's number and the number he typed are one person
    a text NOT NULL,
    b text NOT NULL,
    PRIMARY KEY (a, b)
);
CREATE INDEX linked_keys_other ON linked_keys (b);

CREATE TABLE calls (
    call_sid       text PRIMARY KEY,
    number         text NOT NULL,            -- the number called
    caller_key     text,
    language       text NOT NULL,
    plan_version   int NOT NULL,
    test           bool NOT NULL DEFAULT false,
    turn           int NOT NULL DEFAULT 0,
    stage          text NOT NULL,
    queue          text,
    leaf           text,
    position       int,
    waited_s       int,
    state          text NOT NULL,            -- JSON of ivr.call.state.CallState
    reply          text NOT NULL,            -- the document of the latest turn, for repeats
    started_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    ended_at       timestamptz,
    agent_call_sid text
) WITH (
    fillfactor = 60,                         -- room on the page: a turn rewrites the row in place
    toast_tuple_target = 8160                -- and compresses nothing: a call is written many times, read as often
);
CREATE INDEX calls_caller ON calls (caller_key, started_at) WHERE caller_key IS NOT NULL;
CREATE INDEX calls_agent ON calls (agent_call_sid, updated_at) WHERE agent_call_sid IS NOT NULL;
CREATE INDEX calls_started ON calls USING brin (started_at);
CREATE INDEX calls_open ON calls (started_at) WHERE ended_at IS NULL;  -- on nothing a turn rewrites

CREATE TABLE facts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_sid      text NOT NULL,
    name          text NOT NULL,
    at            timestamptz NOT NULL,
    plan_version  int,
    index_version text,
    data          jsonb NOT NULL DEFAULT '{}',
    once          text                       -- what came from outside the call's turns counts once
);
CREATE UNIQUE INDEX facts_once ON facts (once) WHERE once IS NOT NULL;
CREATE INDEX facts_call ON facts (call_sid, id);
CREATE INDEX facts_at ON facts USING brin (at);
CREATE INDEX facts_answers ON facts (at) WHERE name = 'agent_connected';
CREATE FUNCTION facts_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'facts are append-only'; END $$;
CREATE TRIGGER facts_append_only BEFORE UPDATE OR DELETE ON facts
    FOR EACH ROW EXECUTE FUNCTION facts_are_append_only();

CREATE TABLE transcripts (                   -- what callers said; sealed; kept 30 days
    call_sid text NOT NULL,
    turn     int NOT NULL,
    sealed   bytea NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (call_sid, turn)
);
CREATE INDEX transcripts_at ON transcripts (at);

CREATE TABLE texts (
    id          text PRIMARY KEY,
    call_sid    text NOT NULL,
    article_id  text NOT NULL,
    kind        text NOT NULL DEFAULT 'link' CHECK (kind IN ('link', 'follow_up', 'reply')),
    caller_key  text,
    to_key      text NOT NULL,
    number_id   bigint NOT NULL REFERENCES numbers (id),
    from_number text NOT NULL,
    language    text NOT NULL,
    leaf        text,
    topic       text NOT NULL DEFAULT '',
    discreet    bool NOT NULL DEFAULT false,
    path        jsonb NOT NULL DEFAULT '[]',
    body        text NOT NULL,
    segments    int NOT NULL,
    token       text NOT NULL UNIQUE,
    typed       bool NOT NULL DEFAULT false,
    test        bool NOT NULL DEFAULT false,
    status      text NOT NULL CHECK (status IN ('queued', 'sending', 'unknown', 'sent', 'delivered', 'undelivered',
                                                'failed', 'expired', 'canceled')),
    attempts    int NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL,
    lease_until timestamptz,
    message_sid text UNIQUE,
    error_code  int,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    sent_at     timestamptz,
    settled_at  timestamptz,
    prefix_key  text,                        -- how the number begins, hashed: a budget in common
    UNIQUE (call_sid, article_id, kind)
);
CREATE INDEX texts_to ON texts (to_key, created_at);
CREATE INDEX texts_caller ON texts (caller_key, created_at);
CREATE INDEX texts_prefix ON texts (prefix_key, created_at) WHERE prefix_key IS NOT NULL;
CREATE INDEX texts_open ON texts (due_at) WHERE status IN ('queued', 'sending', 'unknown');

CREATE TABLE optouts (
    number_key text PRIMARY KEY,
    at         timestamptz NOT NULL,
    source     text NOT NULL,
    active     bool NOT NULL
);

CREATE TABLE inbound_texts (
    message_sid text PRIMARY KEY,
    number_key  text NOT NULL,
    at          timestamptz NOT NULL,
    kind        text NOT NULL,
    reply       text                         -- a repeat of the message gets the same reply
);
CREATE INDEX inbound_texts_number ON inbound_texts (number_key, at);

CREATE TABLE plans (
    version        int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    yaml           text NOT NULL,
    published_at   timestamptz NOT NULL,
    published_by   text NOT NULL,
    reason         text NOT NULL,
    source_version int REFERENCES plans (version)
);

CREATE TABLE live_plan (
    one     bool PRIMARY KEY DEFAULT true CHECK (one),
    version int NOT NULL REFERENCES plans (version)
);

CREATE TABLE queue_switches (
    queue  text PRIMARY KEY,
    closed bool NOT NULL,
    who    text NOT NULL,
    why    text NOT NULL,
    at     timestamptz NOT NULL
);

CREATE TABLE site (
    key   text PRIMARY KEY,
    value text NOT NULL
);
