"""What people really answer to a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.texts.replies import carrier_answers, read

STOP = """STOP|stop|Stop.|STOP!!!|stop please|please stop|Stop it|stop now|stopall|stop all|unsubscribe
unsubscribe me|cancel|end|quit|QUIT.|revoke|optout|opt out|Opt-out|OPT OUT please|I want to opt out
opt me out|I no longer want to receive texts|I do not wish to receive messages|🛑|cease and desist
leave me be|I opt out of this|stop texting me|Please stop texting me|stop messaging me
stop sending me messages|stop sending me these texts|stop sending texts|stop the texts
stop all messages|stop contacting me|could you stop texting me|can you please stop texting me?
don't text me|don't text me again|do not text me|please don't text me again|Do not contact me
never text me again|don’t text me anymore|dont message me|no more texts|no more messages please
I don't want these messages|I do not want to receive any more texts|remove me from your list
take me off your list|take me off this list|remove my number|delete my number|leave me alone
lose my number|wrong number|Why do you keep texting me? Stop|stop. thanks
who is this? stop texting me|I revoke my consent|stop spamming me|quit texting me|ALTO
Alto por favor|PARAR|pare|paren|BAJA|baja por favor|darme de baja|quiero darme de baja|dar de baja
cancelar|basta|no me escriban más|No me escriban|ya no me manden mensajes|no me envíen más mensajes
no me molesten más|dejen de escribirme|deje de mandarme mensajes|no quiero más mensajes
no quiero recibir mensajes|basta de mensajes|borren mi número|quítenme de la lista|déjenme en paz
número equivocado|por favor no me manden más textos|STOP STOP|stop this|stop sending these
end texts|cancel messages|I'd like to stop receiving texts|don't text|do not text|stop txt|stop txting me
I said STOP|text stop|would you please stop|kindly stop|STOP 2|stopp|sotp|S T O P|s.t.o.p.|unsub|unsuscribe
unenroll me|discontinue texts|opted out|no more|no más|NO MAS|cancela|salir|para|desuscribirme
take this number off your list|stop sending me this crap|No me vuelvan a escribir|no vuelvan a escribirme
No autorizo mensajes|you have the wrong number""".replace("\n", "|").split("|")

SOLVED = """1|1.|1!|One|solved|Solved!|fixed|it's fixed|Fixed it|works|it works|It works now!|works great
working now|that worked|thanks|Thank you!|thx|thank you so much|Yes|yes it works|Yep, fixed|👍
1 thanks|1 - fixed, thank you|all good|problem solved|resuelto|Solucionado|ya funciona|Funciona
gracias|¡Muchas gracias!|sí|Sí, ya funciona|me ayudó|perfecto|1️⃣|listo gracias
Yes that worked thanks|se arregló|ya quedó gracias|okay thank you|Perfect thank you so much|Reply 1|option 1"""
NOT = """2|2.|no|No.|nope|not yet|still broken|Still not working|still red|it doesn't work|doesn't work
Didn't help|did not work|that didn't work|not fixed|not solved|it is not working|isn't working|👎
no, still broken|2 still not working|thanks but it still doesn't work|same problem|No funciona
no me funciona|sigue sin funcionar|todavía no|aún no funciona|no se ha solucionado|no me sirvió
No, it did not help|2️⃣|no thanks|No it is still broken|It's still not working|its still broken
unfortunately not|not really|no luck|nothing works|no it didn't|Didn't fix it|that didn't fix it|reply 2
I tried that and it didn't work|Tried it, no luck|ya lo intenté y no funciona"""
STEPS = "3|3.|three|steps|Steps please|send me the steps|send the steps|pasos|los pasos por favor|mándame los pasos"
START = "START|start|unstop|Start again|resume|empezar|reanudar"
HELP = "HELP|help|Help!|info|help please|ayuda|AYUDA|información|help me"
QUESTION = """my router stops working|My router stops working every night|it won't stop beeping
How do I stop the buffering?|why did my messages stop|how do I stop my messages from disappearing
the music stops after a minute|can I cancel my subscription|how do I cancel my order
at the end of the month my bill doubles|when does my contract end|my sim stopped working
does it work with other routers|2 routers are broken|1 of my lights is red|help me with my router
Thanks! How do I reset my password?|my internet is slow|I need help with my bill
what are the steps to reset the router|My TV doesn't turn on|emails do not arrive
I don't get text messages|¿Cómo cambio mi contraseña?|no puedo enviar mensajes
no me llegan los mensajes|mi internet está lento|parece que la luz está roja
se para el internet cada noche|la velocidad de bajada es baja|el volumen está muy alto
how do I opt out of paper bills|I can't text my sister|how to stop texts from unknown numbers
there is no information on my bill|what|I get wrong number calls all day|no more internet after the update
no para de sonar|para activar roaming|salir del modo avión|my phone won't send texts|stop sending paper bills
can you help me stop spam calls|cancel my plan please|text me a code please|no thanks to your update my wifi broke
press 1 does not work|I tried that and now the light is red|my phones do not text"""


def _listed(words: str) -> list[str]:
    return [one.strip() for one in words.replace("\n", "|").split("|")]


@pytest.mark.parametrize("body", STOP)
def test_stop_is_understood_in_any_wording(body: str) -> None:
    assert read(body) == "stop"


@pytest.mark.parametrize("body", _listed(SOLVED))
def test_a_solved_problem_is_understood(body: str) -> None:
    assert read(body) == "solved"


@pytest.mark.parametrize("body", _listed(NOT))
def test_an_unsolved_problem_is_understood(body: str) -> None:
    assert read(body) == "not"


@pytest.mark.parametrize("body", _listed(STEPS))
def test_a_wish_for_the_steps_is_understood(body: str) -> None:
    assert read(body) == "steps"


@pytest.mark.parametrize("body", _listed(START))
def test_start_is_understood(body: str) -> None:
    assert read(body) == "start"


@pytest.mark.parametrize("body", _listed(HELP))
def test_help_is_understood(body: str) -> None:
    assert read(body) == "help"


@pytest.mark.parametrize("body", _listed(QUESTION))
def test_anything_else_is_a_question(body: str) -> None:
    assert read(body) == "question"


@pytest.mark.parametrize("body", ["", "  ", "\n", "...", "?!", "\u200b", "🙂"])
def test_a_text_without_words_is_empty(body: str) -> None:
    assert read(body) == "empty"


def test_yes_starts_again_only_for_a_number_that_opted_out() -> None:
    assert read("YES", opted_out=True) == "start"
    assert read("YES") == "solved"


@pytest.mark.parametrize("body", ["STOP", " stop ", "Yes", "HELP", "optout", "unstop"])
def test_the_carrier_answers_its_own_words(body: str) -> None:
    assert carrier_answers(body)


@pytest.mark.parametrize("body", ["STOP please", "opt out", "ALTO", "ayuda", "stop.", "1", ""])
def test_the_carrier_leaves_other_words_to_us(body: str) -> None:
    assert not carrier_answers(body)


@given(st.text(max_size=1700))
def test_any_text_is_read_without_an_error(body: str) -> None:
    assert read(body) in {"solved", "not", "steps", "stop", "start", "help", "question", "empty"}
