"""What the console's pages and the API ask: no Flask and no SQL here."""
