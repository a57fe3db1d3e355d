-- One call as one row, made from its facts (ivr/ledger/summary.py says what each column means).
CREATE TABLE call_summaries (
    call_sid           text PRIMARY KEY,
    started_at         timestamptz NOT NULL,
    ended_at           timestamptz,
    duration_s         int,
    contact            bool NOT NULL,
    caller_key         text,
    caller             text,
    came_back          bool NOT NULL,
    language           text NOT NULL,
    test               bool NOT NULL,
    plan_version       int,
    index_version      text,
    path               text[] NOT NULL,
    leaf               text,
    queue              text,
    described          int NOT NULL,
    found              text,
    refusal            text,
    held_at            timestamptz,
    position           int,
    waited_s           int,
    eligible_at        timestamptz,
    arm                text,
    probability        double precision,
    experiment         text,
    forced             bool NOT NULL,
    article            text,
    further            text,
    offered_at         timestamptz,
    offer_refusal      text,
    accepted_at        timestamptz,
    declined_at        timestamptz,
    heard_at           timestamptz,
    texts              int NOT NULL,
    segments           int NOT NULL,
    sent               int NOT NULL,
    delivered          int NOT NULL,
    failed             int NOT NULL,
    delivered_at       timestamptz,
    opened_at          timestamptz,
    scanned            bool NOT NULL,
    used_at            timestamptz,
    solved_at          timestamptz,
    not_at             timestamptz,
    asked_at           timestamptz,
    opted_out          bool NOT NULL,
    follow_ups         int NOT NULL,
    follow_up_segments int NOT NULL,
    reply_segments     int NOT NULL,
    hung_up_at         timestamptz,
    agent_at           timestamptz,
    agent_s            int,
    left_how           text,
    rejoined           bool NOT NULL,
    closed             text,
    overflowed         bool NOT NULL,
    offers             jsonb NOT NULL,       -- what the caller did with each article
    facts              int NOT NULL,         -- how many there were: more of them, and the row is made anew
    evidence           jsonb NOT NULL,       -- fact -> id
    -- What came after the call:
    next_call_at       timestamptz,          -- the same person called again
    next_agent_at      timestamptz,          -- a person answered such a call
    next_other_at      timestamptz,          -- the same person came by another channel
    next_contact_at    timestamptz GENERATED ALWAYS AS (least(next_call_at, next_other_at)) STORED,
    outcome            text NOT NULL,        -- ivr/ledger/outcomes.py
    outcome_at         timestamptz NOT NULL,
    judge_at           timestamptz           -- when the outcome is to be looked at again
) WITH (fillfactor = 80);
CREATE INDEX call_summaries_started ON call_summaries (started_at);
CREATE INDEX call_summaries_person ON call_summaries (caller_key, started_at) WHERE caller_key IS NOT NULL;
CREATE INDEX call_summaries_queue ON call_summaries (queue, started_at);
CREATE INDEX call_summaries_leaf ON call_summaries (leaf, started_at);
CREATE INDEX call_summaries_article ON call_summaries (article, started_at) WHERE article IS NOT NULL;
CREATE INDEX call_summaries_further ON call_summaries (further, started_at) WHERE further IS NOT NULL;
CREATE INDEX call_summaries_outcome ON call_summaries (outcome, started_at);
CREATE INDEX call_summaries_judge ON call_summaries (judge_at) WHERE judge_at IS NOT NULL;

CREATE TABLE summaries_mark (                -- up to which fact every call is surely in
    one     bool PRIMARY KEY DEFAULT true CHECK (one),
    mark    bigint NOT NULL DEFAULT 0,       -- all facts up to here were committed when last looked at
    next    bigint NOT NULL DEFAULT 0,       -- the newest fact there was ...
    next_at timestamptz                      -- ... then
);
INSERT INTO summaries_mark DEFAULT VALUES;

-- Calls of a day (UTC), those of the test phone left out: kept by triggers on the summaries, so that they always agree.
CREATE TABLE place_days (
    day        date NOT NULL,
    queue      text NOT NULL,
    leaf       text NOT NULL,
    path       text[] NOT NULL,
    refusal    text NOT NULL,                -- why the finder allowed no article, '' where it did
    calls      bigint NOT NULL,
    held       bigint NOT NULL,
    eligible   bigint NOT NULL,
    offers     bigint NOT NULL,
    taken      bigint NOT NULL,
    texts      bigint NOT NULL,
    opened     bigint NOT NULL,
    solved     bigint NOT NULL,
    not_solved bigint NOT NULL,
    back       bigint NOT NULL,
    hung_up    bigint NOT NULL,
    agents     bigint NOT NULL,
    PRIMARY KEY (day, queue, leaf, path, refusal)
);
CREATE TABLE article_days (
    day        date NOT NULL,
    article    text NOT NULL,
    offered    bigint NOT NULL,
    taken      bigint NOT NULL,
    heard      bigint NOT NULL,
    opened     bigint NOT NULL,
    solved     bigint NOT NULL,
    not_solved bigint NOT NULL,
    back       bigint NOT NULL,
    PRIMARY KEY (day, article)
);
