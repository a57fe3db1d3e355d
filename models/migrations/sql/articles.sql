-- Community articles as imported, and the versions of the search index built from them.

CREATE TABLE articles (
    id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._:-]{1,80}$'),
    title text NOT NULL,
    question text NOT NULL,
    author text,
    answers jsonb NOT NULL,
    accepted_author text,
    name_author boolean NOT NULL,       -- the source allows naming authors
    spoken_author text,                 -- accepted_author where it may be named and can be said
    votes integer NOT NULL CHECK (votes >= 0),
    url text NOT NULL,
    tags text[] NOT NULL,
    language text NOT NULL,
    licence text NOT NULL,
    short text,                         -- what is read to a caller; null: nothing can be
    source text NOT NULL,
    state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'withdrawn')),
    content_hash text NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    helped integer NOT NULL DEFAULT 0 CHECK (helped >= 0)  -- callers who said it solved their problem
);

-- Authors who asked not to be named, in any source.
CREATE TABLE unnamed_authors (
    author text PRIMARY KEY,
    asked_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE index_versions (
    version text PRIMARY KEY,
    built_at timestamptz NOT NULL,
    article_count integer NOT NULL,
    model_id text NOT NULL,
    content_digest text NOT NULL,       -- of the live articles it was built from
    state text NOT NULL DEFAULT 'built' CHECK (state IN ('built', 'live', 'retired'))
);

CREATE UNIQUE INDEX index_versions_one_live ON index_versions (state) WHERE state = 'live';
