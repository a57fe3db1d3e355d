"""What the search says, in words for people: what speaks for an article, and why one is offered or not."""

from collections.abc import Mapping

from ivr.console.errors import Sentence, sentence

#: by name in `search.evidence.FEATURES`
EVIDENCE: Mapping[str, Sentence] = {
    "question": sentence("Means the same as the question asked there"),
    "answer": sentence("Means the same as an answer"),
    "whole": sentence("Means the same as question and answers together"),
    "title or whole": sentence("Means the same as the title, or as the whole"),
    "any view": sentence("Means the same as some part of it"),
    "words": sentence("Rare words that were said stand in it"),
    "BM25": sentence("More words in common than a short question has"),
    "path words": sentence("The title has the words of the menu choice"),
    "tag": sentence("It is tagged with a menu choice that was taken"),
    "letters": sentence("The title sounds alike, letter by letter"),
    "title hub": sentence("The title is near to what everybody asks"),
    "whole hub": sentence("The whole of it is near to what everybody asks"),
}
#: by name in `search.result.REFUSALS`
REFUSALS: Mapping[str, Sentence] = {
    "nothing_near": sentence("No article is likely enough to solve it"),
    "rival_topics": sentence("Two articles about different things are equally likely"),
    "transcript_too_poor": sentence("Nothing was said that could be searched for"),
    "not_allowed_here": sentence("The likeliest article may not be offered here"),
    "article_stale": sentence("The article was withdrawn, or its source let it lapse"),
    "language": sentence("There is no article in this language"),
    "no_index": sentence("No index was built yet"),
    "search_failed": sentence("The search failed"),
    "search_busy": sentence("Too many searches at once"),
    "never_offer": sentence("Nothing is ever offered here, or to who says such words"),
}
#: by name in `search.explained.VERDICTS`
VERDICTS: Mapping[str, Sentence] = {
    "chosen": sentence("Chosen: the likeliest, and likely enough"),
    "further": sentence("Second: offered when the caller wants another"),
    "unsure": sentence("Refused: the likeliest, and not likely enough"),
    "rival": sentence("Refused: level with one about something else"),
    "behind": sentence("Passed over: less likely than the first"),
    "barred": sentence("Barred: may not be offered here"),
}
PINNED = sentence("Pinned here: offered without a search")


def evidence(name: str) -> Sentence:
    """A piece of evidence."""
    return EVIDENCE.get(name) or Sentence(name)


def refusal(name: str | None) -> Sentence:
    """Why nothing is offered."""
    return REFUSALS.get(name or "") or Sentence(name or "")


def verdict(name: str) -> Sentence:
    """Why an article is offered or not."""
    return VERDICTS.get(name) or Sentence(name)
