"""What an inbound text means, in English and Spanish. Whatever is not understood for sure is a question."""

import re
import unicodedata
from typing import Literal

Kind = Literal["solved", "not", "steps", "stop", "start", "help", "question", "empty"]

#: Whole messages the carrier itself acts on and answers [Twilio support 223134027]. YES starts again there.
CARRIER_STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
CARRIER_START = frozenset({"start", "yes", "unstop"})
CARRIER_HELP = frozenset({"help", "info"})

_POLITE = (
    r"(?:(?:please|pls|plz|kindly|now|just|ok|okay|hey|hi|hello|thanks|thank you|(?:can|could|would|will) you|i said"
    r"|reply|send|text|por favor|ya|hola|gracias|it|me) ?)*"
)
_STOP_WORD = (
    r"(?:s ?t ?o ?p+|sotp|stpo|stop ?all|uns(?:ub|ubs?cribe|uscribe)(?: me)?|unenroll(?: me)?|cancel|end|quit|revoke"
    r"|opt(?:ed)? ?out|opt me out|discontinue|halt|cease and desist|no more"
    r"|alto|parar|pare|paren|para|baja|cancel(?:a|ar|ame|en)|salir"
    r"|no mas|desuscrib\w+|(?:dar(?:me|se)?|den?me|quiero darme) de baja|basta|detener)"
)
_MESSAGES = r"(?:te?xts?|te?xting|messages?|messaging|msgs?|sms|alerts?|notifications?)"
_STOP_ALONE = re.compile(
    rf"(?:[123] )?{_POLITE}{_STOP_WORD}(?: {_STOP_WORD})* ?(?:(?:this|these|those|that|them|all) ?)?{_POLITE}[123]?"
    rf"|{_POLITE}(?:(?:i )?(?:want|wish|need|(?:woul)?d like) to )?(?:stop|quit) (?:receiving|getting)"
    rf"(?: (?:these|this|those|your|any|all|the|more))* {_MESSAGES}(?: from you)? ?{_POLITE}"
    rf"|{_POLITE}(?:stop|quit|end|cancel|cease|discontinue)(?: (?:the|these|those|all|your))* {_MESSAGES} ?{_POLITE}"
    rf"|{_POLITE}(?:do not|don ?t) (?:te?xt|message|contact)(?: me)? ?{_POLITE}"
    r"|(?:(?:sorry|you|u|have|ve|got|the|this|is|its|it|s|i|think) )*wrong number"
)
_TO_US = r"(?:te?xt|te?xting|message|messaging|sms|contact|contacting|write|writing|bother|bothering|spam|spamming|bug)"
_STOP_PHRASE = re.compile(
    r"\b(?:"
    rf"(?:stop|quit|cease)(?: \w+)? {_TO_US}(?:ing)?(?: me| us| this| my| again| now| please|$)"
    r"|(?:stop|quit|cease) (?:sending|the|these|those|this|all|any|your|these|with the)(?: \w+){0,3}? "
    + _MESSAGES
    + r"(?: please| now| to me)?$"
    r"|(?:stop|quit|cease) sending (?:(?:me )?(?:this|these|those|that|them|it)$|me (?:this|these|any|your|more)\b)"
    rf"|(?:stop|quit) {_MESSAGES}$"
    rf"|(?:do not|don ?t|dont|never|no longer|not to|no need to)(?: ever)? {_TO_US}(?: to)? (?:me|us|this|my)\b"
    r"|(?:do not|don ?t|dont|never) send (?:me )?(?:any ?more|any|these|more|anymore)?(?: \w+)?(?: "
    + _MESSAGES
    + r"|$)"
    r"|(?:no more|don ?t (?:want|wish)|not (?:want|wish)|no longer (?:want|wish))"
    rf"(?: any| these| your| more| to (?:get|receive)){{0,3}} {_MESSAGES}"
    r"|(?:take|remove|get|delete|drop|erase) (?:me|(?:my|this) (?:phone )?number)(?: off| from| out)?(?: of)?"
    r"(?: (?:your|the|this|that|all) \w+| list| it)?$"
    r"|leave me alone|leave me be$|lose (?:my|this) number"
    r"|(?:want|wish|like|need|choose|going) to (?:opt ?out|unsubscribe|revoke)|^(?:i )?opt(?:ing)? ?out\b"
    r"|opt me out|unsubscribe me|revoke (?:my )?consent"
    # Spanish, accents already taken off
    r"|(?:no|ya no|nunca|jamas) (?:me |nos )?(?:escrib|mand|envi|molest|contact|text|manden|llam)\w*"
    r"(?: mas| nunca| mensajes| textos| sms| nada|$)\w*"
    r"|(?:no|nunca|jamas)(?: me)? vuelv\w+ a (?:escrib|mand|envi|molest|contact|text|llam)\w*"
    r"|(?:dej|par)(?:e|en|a|ar)(?: ya)? de (?:escribir|mandar|enviar|molestar|contactar|textear)\w*"
    r"|no (?:quiero|deseo|autorizo)(?: \w+){0,2} (?:mensajes|textos|sms)"
    r"|(?:basta de|no mas|ni un) (?:mensajes|textos|sms)"
    r"|(?:borr|quit|elimin|sac)\w+(?:me)?(?: mi (?:numero|telefono)| de (?:la|su|esta) lista)"
    r"|(?:dar|den|deme|denme|darme|darse)\w* de baja$|numero equivocado|dejenme en paz"
    r")"
)
_ASKS = re.compile(r"^(?:how|why|when|where|what|which|who|is|does|did|como|por que|cuando|donde|que|cual|quien)\b")
_KEEPS = re.compile(r"^(?:why|how come|por que) (?:do|are|did|me|no|dejan|siguen)")

_START = re.compile(
    rf"{_POLITE}(?:start|unstop|start again|resume|subscribe|empezar|comenzar|reanudar|iniciar|alta) ?{_POLITE}"
)
_HELP = re.compile(rf"{_POLITE}(?:help|info|information|ayuda|informacion|auxilio) ?{_POLITE}")
_STEPS = re.compile(
    rf"{_POLITE}(?:3|three|tres|(?:(?:send|text|mand\w+|envi\w+) ?(?:me)? ?)?(?:the|los|3)? ?(?:steps|pasos))"
    rf" ?{_POLITE}"
)
_MORE = (
    r"(?: ?(?:it|now|again|great|fine|perfectly|well|all|so much|very much|a lot|for me|thanks|thank you|gracias"
    r"|ya|bien|muy bien|todo|perfecto))*"
)
_IT = (
    r"(?:(?:yes|yep|yeah|ok|and|it|that|this|the|all|everything|problem|issue|s|is|was|has|been|great|fixed"
    r"|okay|so|perfect|wow|thanks|thank you|gracias|si|y|me|se|ya|el|listo|perfecto|problema|esta|todo|lo|he) ?)*"
)
_SOLVED = re.compile(
    rf"(?:1|one|uno|{_IT}(?:solved|fixed|resolved|works?|worked|working|sorted|done|helped|good|thanks?|thank you"
    r"|thx|ty|cheers|perfect|awesome|great|yay|resuelto|solucionado|arreglado|arreglo|quedo|resolvio|soluciono|funciona|funciono|sirvio|ayudo|listo|gracias|"
    rf"muchas gracias|mil gracias|perfecto|excelente|genial){_MORE})"
)
_YES = re.compile(r"(?:yes|yep|yeah|yup|si|claro)")
_NOT = re.compile(
    r"(?:(?:i |have |already |ya |lo |he )*(?:tried|did|intente|hice|probe)(?: (?:it|that|this|everything|all|todo))?"
    r"(?: (?:and|but|y|pero))? ?)?"
    r"(?:2|two|dos|no|nope|nah|not|not yet|not really|unfortunately not|no luck|nothing works"
    r"|no (?:thanks|thank you|gracias)|todavia no|aun no|para nada"
    r"|(?:(?:no|but|it|its|that|this|is|s) )*still(?: \w+){1,4}|sigue(?: \w+){1,4}"
    r"|(?:no |nope |but |sorry |thanks |thank you |gracias |pero )*(?:it|that|this|they|still)? ?(?:still )?"
    r"(?:(?:is|was|does|did|has|have) ?(?:not|n ?t)|doesn ?t|didn ?t|isn ?t|hasn ?t|not|never)"
    r" (?:been )?(?:solved?|fix|fixed|resolved?|work|works|worked|working|help|helped|helpful|sorted|good)(?: \w+){0,3}"
    r"|(?:no |pero |gracias |ya )*(?:todavia |aun |sigue )?(?:no|sin) (?:me |se |lo |ha |esta |quedo )*"
    r"(?:funcion\w*|sirv\w*|ayud\w*|resuelto|resolvi\w*|solucion\w*|arregl\w*)(?: \w+){0,3}"
    r"|same (?:problem|issue|thing)(?: \w+){0,2}|broken|(?:no )?(?:it )?didn ?t|did nothing"
    r"|nothing(?: changed| happened)?)"
)


_BEFORE_NUMBER = re.compile(r"^(?:(?:reply|answer|option|number|press|send|text|opcion|numero|respuesta) )+(?=[123]\b)")


def _plain(body: str) -> str:
    """Small letters without accents, the signs that part sentences kept as full stops, all others blanks."""
    spelt = body.replace("🛑", " stop ").replace("👍", " 1 ").replace("👎", " 2 ")
    folded = unicodedata.normalize("NFKD", spelt).casefold()
    bare = "".join(character for character in folded if not unicodedata.combining(character))
    parted = re.sub(r"[.!?;:,\n\r…¡¿]+", ".", bare)
    return re.sub(r"[^\w.]+|_", " ", parted)


def _sentences(body: str) -> list[str]:
    parts = (" ".join(part.split()) for part in _plain(body).split("."))
    return [_BEFORE_NUMBER.sub("", words) for words in parts if words]


def _asks_to_stop(sentences: list[str]) -> bool:
    if any(_STOP_ALONE.fullmatch(one) for one in (*sentences, " ".join(sentences))):
        return True
    return any(
        _STOP_PHRASE.search(one) is not None
        for one in (*sentences, " ".join(sentences))
        if not _ASKS.match(one) or (_KEEPS.match(one) and one is not sentences[0])
    )


def read(body: str, *, opted_out: bool = False) -> Kind:
    """The kind of an inbound text. STOP in any wording comes first; "stop" inside a question is none.

    YES counts as START only from a number that opted out, as at the carrier; else it says that it is solved.
    """
    sentences = _sentences(body)
    if not sentences:
        return "empty"
    if _asks_to_stop(sentences):
        return "stop"
    whole = " ".join(sentences)
    if _START.fullmatch(whole) or (opted_out and _YES.fullmatch(whole)):
        return "start"
    if _HELP.fullmatch(whole):
        return "help"
    if _STEPS.fullmatch(whole):
        return "steps"
    return _verdict(sentences, whole)


def _verdict(sentences: list[str], whole: str) -> Kind:
    """Solved or not when every sentence says so; "not" wins where both are said."""
    told = ["not" if _is_not(one) else "solved" if _is_solved(one) else "other" for one in sentences]
    if _is_not(whole) or ("not" in told and "other" not in told):
        return "not"
    if _is_solved(whole) or set(told) == {"solved"}:
        return "solved"
    return "question"


def _is_not(words: str) -> bool:
    number, _, rest = words.partition(" ")
    return _NOT.fullmatch(words) is not None or (
        number in {"2", "no"} and bool(rest) and _NOT.fullmatch(rest) is not None
    )


def _is_solved(words: str) -> bool:
    number, _, rest = words.partition(" ")
    return (
        _SOLVED.fullmatch(words) is not None
        or _YES.fullmatch(words) is not None
        or (number == "1" and bool(rest) and _SOLVED.fullmatch(rest) is not None)
    )


def carrier_answers(body: str) -> bool:
    """Whether the carrier itself has answered this message: exactly one of its own words."""
    return body.strip().casefold() in CARRIER_STOP | CARRIER_START | CARRIER_HELP
