"""What the lines of the audit log are about, in words for people."""

from collections.abc import Mapping

from ivr.console.errors import Sentence, sentence

#: by the first word of a kind
GROUPS: Mapping[str, Sentence] = {
    "article": sentence("Article"),
    "articles": sentence("Articles"),
    "author": sentence("Author"),
    "draft": sentence("Draft"),
    "export": sentence("Export"),
    "incident": sentence("Incident"),
    "ledger": sentence("Ledger"),
    "menu": sentence("Menu"),
    "number": sentence("A caller's number"),
    "numbers": sentence("All numbers"),
    "offers": sentence("Offers"),
    "rates": sentence("Rate card"),
    "recording": sentence("Recording"),
    "source": sentence("Source"),
    "staff": sentence("Staff"),
    "thread": sentence("Review queue"),
    "token": sentence("API token"),
    "webhook": sentence("Webhook"),
}
#: by kind, as it is noted
KINDS: Mapping[str, Sentence] = {
    "article.edit": sentence("Reworded an article"),
    "article.withdraw": sentence("Withdrew an article"),
    "article.restore": sentence("Brought an article back"),
    "articles.import": sentence("Imported articles"),
    "author.unname": sentence("Names an author no more"),
    "draft.begin": sentence("Began a draft"),
    "draft.save": sentence("Changed a draft"),
    "draft.merge": sentence("Put two texts of a draft together"),
    "draft.discard": sentence("Closed a draft"),
    "draft.reopen": sentence("Opened a draft again"),
    "export.begin": sentence("Began an export"),
    "export.end": sentence("Ended an export"),
    "incident.start": sentence("Reported an incident"),
    "incident.end": sentence("Ended an incident"),
    "ledger.close": sentence("Closed a month"),
    "menu.publish": sentence("Published a menu"),
    "menu.rollback": sentence("Went back to an earlier menu"),
    "number.erased": sentence("Erased a number"),
    "number.show": sentence("Saw a whole number"),
    "numbers.resealed": sentence("Sealed all numbers anew"),
    "offers.stop": sentence("Stopped offers"),
    "offers.start": sentence("Let offers be made again"),
    "rates.publish": sentence("Published a rate card"),
    "rates.hours": sentence("Entered hours of work"),
    "recording.add": sentence("Added a recording"),
    "recording.remove": sentence("Took a recording away"),
    "source.add": sentence("Added a source"),
    "source.sync": sentence("Had a source synced"),
    "source.pause": sentence("Paused a source"),
    "source.resume": sentence("Resumed a source"),
    "source.remove": sentence("Removed a source"),
    "staff.set_up": sentence("Set the console up"),
    "staff.invited": sentence("Invited somebody"),
    "staff.joined": sentence("Joined"),
    "staff.changed": sentence("Changed their own account"),
    "staff.role": sentence("Changed a role"),
    "staff.switched": sentence("Switched an account off or on"),
    "staff.reset": sentence("Had an account begin anew"),
    "staff.password": sentence("Changed their own password"),
    "staff.recovery_codes": sentence("Made new recovery codes"),
    "staff.recovery_code_used": sentence("Signed in with a recovery code"),
    "thread.approve": sentence("Approved a thread"),
    "thread.refuse": sentence("Refused a thread"),
    "thread.undo": sentence("Took back a decision on a thread"),
    "token.made": sentence("Made an API token"),
    "token.revoked": sentence("Revoked an API token"),
    "webhook.made": sentence("Added a webhook"),
    "webhook.changed": sentence("Changed a webhook"),
    "webhook.rotated": sentence("Gave a webhook another secret"),
    "webhook.on": sentence("Switched a webhook on"),
    "webhook.off": sentence("Switched a webhook off"),
    "webhook.removed": sentence("Removed a webhook"),
}
#: what a line is about, by how it begins; the rest is a name or a number
ABOUT: Mapping[str, Sentence] = {
    "article ": sentence("article"),
    "author ": sentence("author"),
    "call ": sentence("call"),
    "draft ": sentence("draft"),
    "export ": sentence("export"),
    "incident ": sentence("incident"),
    "month ": sentence("month"),
    "plan ": sentence("menu version"),
    "queue ": sentence("queue"),
    "rate card ": sentence("rate card"),
    "source ": sentence("source"),
    "staff ": sentence("account"),
    "token ": sentence("API token no."),
    "webhook ": sentence("webhook no."),
    "a number ending in ": sentence("a number ending in"),
    "all queues": sentence("all queues"),
    "hold music": sentence("hold music"),
}
#: by the name of a field before and after a change
FIELDS: Mapping[str, Sentence] = {
    "active": sentence("Switched on"),
    "added": sentence("Added"),
    "calls": sentence("Calls"),
    "calls at the carrier": sentence("Calls at the carrier"),
    "changed": sentence("Changed"),
    "changes": sentence("Changes"),
    "channels": sentence("Other channels"),
    "contacts": sentence("Contacts"),
    "credentials": sentence("Setting with the credentials"),
    "email": sentence("E-mail address"),
    "every_minutes": sentence("Every so many minutes"),
    "facts": sentence("Facts"),
    "file": sentence("File"),
    "form": sentence("Form"),
    "from plan": sentence("From version"),
    "hours": sentence("Hours"),
    "kept aside": sentence("Webhooks kept aside"),
    "kind": sentence("Kind"),
    "language": sentence("Language"),
    "lapsed": sentence("Articles lapsed"),
    "leaves": sentence("Leaves"),
    "left": sentence("Codes left"),
    "licence": sentence("Licence"),
    "links": sentence("Linked numbers"),
    "live": sentence("Live version"),
    "max_age_days": sentence("Oldest, in days"),
    "merged with": sentence("Together with what was saved by"),
    "message": sentence("Message"),
    "name": sentence("Name"),
    "name_authors": sentence("Names authors"),
    "news": sentence("News"),
    "numbers": sentence("Numbers"),
    "options": sentence("Further settings"),
    "paused": sentence("Paused"),
    "rate card": sentence("Rate card"),
    "recordings at the carrier": sentence("Recordings at the carrier"),
    "replies": sentence("Replies"),
    "revision": sentence("Revision"),
    "role": sentence("Role"),
    "scopes": sentence("May do"),
    "seconds": sentence("Seconds"),
    "short": sentence("Short version"),
    "since": sentence("Since"),
    "sound": sentence("Fingerprint of the sound"),
    "source": sentence("Source"),
    "stands": sentence("Version that stands"),
    "state": sentence("State"),
    "stopped": sentence("Stopped"),
    "studies": sentence("Mappings and rehearsals"),
    "summaries": sentence("Summaries"),
    "target": sentence("Goes to"),
    "texts": sentence("Texts"),
    "texts at the carrier": sentence("Texts at the carrier"),
    "title": sentence("Title"),
    "transcripts": sentence("Transcripts"),
    "trust": sentence("Trust rule"),
    "unchanged": sentence("Unchanged"),
    "until": sentence("Until"),
    "url": sentence("Address"),
    "version again": sentence("Version again"),
    "with plan": sentence("Together with version"),
    "withdrawn": sentence("Withdrawn"),
    "words": sentence("Words"),
}


def group(name: str) -> Sentence:
    """What changes of a group are about."""
    return GROUPS.get(name) or Sentence(name)


def kind(name: str) -> Sentence:
    """What was done."""
    return KINDS.get(name) or Sentence(name)


def about(on: str) -> tuple[Sentence | None, str]:
    """What it was done to: in words, and the name or number that follows."""
    for beginning, words in ABOUT.items():
        if on.startswith(beginning):
            return words, on.removeprefix(beginning)
    return None, on


def field(name: str) -> Sentence:
    """What a field holds."""
    return FIELDS.get(name) or Sentence(name)
