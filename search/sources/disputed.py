"""Whether the replies after an accepted answer say that it does not help. English and Spanish; pure."""

import re
from collections.abc import Sequence

MAX_REPLIES = 200
MAX_REPLY = 2_000
MAX_SENTENCES = 40

_SOON = (
    r"(?: (?:also|still|just|really|actually|either|unfortunately|sadly|all|tampoco|ya|a[uú]n|todav[ií]a"
    r"|me|nos|te|le)){0,3}"
)
_IT = (
    r"(?:this|that|it|which|these|those|they|solution|fix|suggestions?|answer|advice|method|workaround|steps?|trick"
    r"|above|nothing|none(?: of (?:this|that|these|those|them|the above))?|also|but|unfortunately|sadly|tried)"
)
_NOT = r"(?:(?:did|does|do|has|have|is|was|will|would)(?: not|n'?t)|not|no longer|never)"
_START = r"(?:^|[.!?,;:)\n-] ?)"
_FAILS = re.compile(
    rf"(?:\b{_IT}|{_START}|\bno,){_SOON} ?{_NOT}{_SOON} (?:work|help|solve|fix|resolve|change|do (?:anything"
    rf"|it|the trick)"
    r"|any help|helpful|correct|true|an? (?:solution|fix|answer))(?:s|ed|ing)?\b"
    r"|\b(?:nothing|none of (?:this|that|these|those|them|the above))(?: has| have| of this)? (?:work|help"
    r"|chang|fix)(?:s|ed|es)\b"
    r"|\bstill (?:no luck|nothing|broken|happen(?:s|ing)|fail(?:s|ing)|doesn't|does not|not (?:work|fix|solv)"
    r"|(?:have|having|get|getting|see|seeing|got) (?:the|this|that|it|same|an?))"
    r"|\b(?:problem|issue|error|fault) (?:is |has )?(?:still|persist|remain|came back|come back|comes back"
    r"|returned|not (?:solv|fix|resolv))"
    r"|\b(?:is|are|was) (?:still )?(?:not|un)[- ]?(?:solved|fixed|resolved)\b"
    r"|\b(?:wrong|bad|incorrect|misleading|dangerous|terrible) (?:answer|advice|solution|information)\b"
    r"|\b(?:this|that|answer|solution|it|link) (?:is|was) (?:now |completely |totally |simply |just )?"
    r"(?:wrong|outdated|obsolete|out of date|useless|incorrect|misleading|dead)\b"
    r"|\b(?:do not|don't) (?:do|follow|use|try) (?:this|that|it)\b|\bmade (?:it|things) worse\b|\bno luck\b",
    re.IGNORECASE,
)
_FALLA = re.compile(
    rf"\b(?:no|tampoco|nunca){_SOON} (?:ha |han )?(?:funcion|sirv|ayud|soluciona|solucion[oó]|resuelv|resolvi"
    rf"|arregl|cambi[oó])"
    r"|\bsin (?:[eé]xito|resultado|suerte)\b"
    r"|\bsig(?:ue|o|uen)(?: [a-zñáéíóú]+)? (?:igual|sin |fallando|con (?:el|lo)|el (?:problema|error)"
    r"|apareciendo|pasando)"
    r"|\bsigue igual\b|\b(?:problema|error|fallo) (?:persiste|contin[uú]a|sigue|volvi[oó]|no (?:se )?)"
    r"|\b(?:esto|eso|respuesta|soluci[oó]n) (?:es|est[aá]) (?:mal|incorrect|equivocad|obsolet|desactualizad|desfasad)"
    r"|\bno (?:hag[aá]is|hagan|hagas|sig[aá]is|sigan|sigas) (?:esto|eso|caso)\b|\bempeor[oó]\b",
    re.IGNORECASE,
)
_WORKS = re.compile(
    r"\b(?:this|that|it|which|solution|fix|answer|advice|trick|method|step \d)(?: has| have)?(?: also| just"
    r"| really| finally| all| totally)?"
    r" (?:work|help|solv|fix|resolv)(?:s|ed|es)\b|\b(?:did|does) (?:the trick|work|help)\b|\bdid it\b"
    r"|\b(?:works|worked|working) (?:now|for me|great|perfectly|fine|again|well|like a charm)\b|\b(?:is|all"
    r"|now|it's) (?:solved|fixed|resolved|working)\b"
    r"|\b(?:problem|issue) (?:is |was |has been |now )*(?:solved|fixed|resolved|gone)\b|\b(?:perfect"
    r"|exactly what i needed)\b"
    r"|\b(?:eso|esto|ya|s[ií]|me|a m[ií]|todo)(?: s[ií]| me| ya| lo| nos)* (?:funcion(?:[oó]|a)|sirvi[oó]"
    r"|ayud[oó]|solucion[oó]|resolvi[oó]|arregl[oó])"
    r"|\b(?:solucionado|resuelto|arreglado|funciona (?:perfecto|perfectamente|bien|ya))\b",
    re.IGNORECASE,
)
_UNREAL = re.compile(
    r"\b(?:if|in case|whether|unless|should|when|until|would|could|might|may|let (?:me|us) know|si|cuando"
    r"|en caso|por si|hasta que)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")


def disputed(later: Sequence[str]) -> bool:
    """Whether the cleaned texts of the replies after the accepted answer, oldest first, speak against it.

    They do when more of them say that it fails than that it works, or as many and the last one says so. "If that does
    not work, ..." says neither.
    """
    views = [view for text in later[-MAX_REPLIES:] if (view := _view(text)) is not None]
    against = views.count(False)
    return against > len(views) - against or (2 * against == len(views) and against > 0 and not views[-1])


def _view(text: str) -> bool | None:
    """True: it works; False: it fails; None: the reply does not say. The last word of a reply counts."""
    view = None
    for sentence in _SENTENCE.split(text[:MAX_REPLY].replace("’", "'"), MAX_SENTENCES)[:MAX_SENTENCES]:
        if sentence.endswith("?"):
            continue
        sentence = sentence[:400]
        fails = [found.span() for form in (_FAILS, _FALLA) for found in form.finditer(sentence)]
        works = [
            found.span()
            for found in _WORKS.finditer(sentence)
            if not any(start <= found.start() < end for start, end in fails)  # "none of this worked"
        ]
        last = max(fails + works, default=None)
        if last is not None and not _UNREAL.search(sentence, 0, last[0]):
            view = last in works
    return view
