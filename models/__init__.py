"""Tables: one noun a file, with its few named queries. Every function takes a psycopg connection."""
