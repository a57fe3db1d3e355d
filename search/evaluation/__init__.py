"""How good the search is, on sets that people judged: the service's own finder beside plain ways of searching."""
