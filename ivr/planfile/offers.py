"""Offer rules of the menu file. The ranges are promises to callers; a manager chooses within them."""

from ivr.call.plan import KEYS, SPEECH_AND_KEYS, OfferRules
from ivr.planfile.fields import Fields
from ivr.planfile.problems import Problems, shown
from ivr.planfile.tree import Node

#: whole numbers: rule -> (least, most)
RANGES: dict[str, tuple[int, int]] = {
    "first_after_s": (5, 60),
    "unknown_wait_after_s": (15, 300),
    "min_wait_s": (60, 3600),
    "min_position": (3, 100),  # never at position 1 or 2
    "reminder_after_s": (60, 900),
    "further_after_s": (120, 3600),
    "typed_ahead_ms": (500, 5000),
    "receipt_within_s": (10, 120),
    "announce_every_s": (60, 600),
    "answers_needed": (20, 1000),  # fewer are no ground for an estimate
    "texts_per_call": (1, 2),
    "texts_per_day": (1, 3),
    "typed_texts_per_day": (1, 1),
    "return_within_h": (1, 168),
    "follow_up_after_h": (2, 4),
    "quiet_from_h": (17, 21),  # 8 to 21 h is what the law leaves; a manager can only take less
    "quiet_until_h": (8, 12),
}

HOLDOUT_SHARE = (0.0, 0.9)
WRONG_SHARE = (0.01, 0.5)  # less cannot be promised; with more, silence serves callers better


def read_offers(node: Node | None, problems: Problems) -> OfferRules:
    """The rules; what the file leaves out keeps its default."""
    if node is None:
        return OfferRules()
    fields = Fields(node, "'offers'", problems)
    default = OfferRules()
    whole = {name: fields.integer(name, getattr(default, name), *span) for name, span in RANGES.items()}
    holdout = fields.number("holdout_share", default.holdout_share, *HOLDOUT_SHARE, whole=False)
    if 0 < holdout < 0.02:
        problems.warn(
            fields.place_of("holdout_share"),
            "so few callers without an offer measure nothing for months",
            "Take 0.05 to 0.2, or 0 to measure nothing on purpose",
        )
    wrong = fields.number("wrong_share", default.wrong_share, *WRONG_SHARE, whole=False)
    experiment = fields.optional("experiment")
    rules = OfferRules(
        **whole,
        listen=_listen(fields, default.listen, problems),
        holdout_share=holdout,
        wrong_share=wrong,
        follow_up=fields.flag("follow_up", default.follow_up),
        stopped=fields.flag("stopped", default.stopped),
        experiment=fields.check_name(experiment, "'experiment'") if experiment else default.experiment,
    )
    if rules.stopped:
        problems.warn(fields.place_of("stopped"), "offers are switched off", "Write 'stopped: false' to make offers")
    fields.close()
    return rules


def _listen(fields: Fields, default: str, problems: Problems) -> str:
    chosen = fields.text("listen", default)
    if chosen not in (KEYS, SPEECH_AND_KEYS):
        fields.error(
            fields.place_of("listen"),
            f"'{shown(chosen)}' is no way to listen",
            f"Write '{KEYS}' or '{SPEECH_AND_KEYS}'",
        )
        return default
    if chosen == SPEECH_AND_KEYS:
        problems.warn(
            fields.place_of("listen"),
            "the carrier does not promise to take keys and speech together in a queue, and charges for listening",
            f"Try it on your number first; '{KEYS}' is what is known to work",
        )
    return chosen
