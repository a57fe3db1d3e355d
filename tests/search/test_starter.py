"""What callers say about problems of the starter community, in plain words and without a menu path."""

from collections.abc import Mapping, Sequence

from search.finder import Finder
from search.query import Query
from search.result import Match
from tests.scenery import Scenery

ENGLISH = {
    "my router light stays red": "router-light-red",
    "I can't send e-mail from my phone": "email-cannot-send",
    "the light on the box is red and I have no internet since the power went out": "router-light-red",
    "my internet gets really slow in the evening": "internet-slow-evenings",
    "the internet keeps cutting out every few minutes": "internet-keeps-dropping",
    "the wifi doesn't reach upstairs": "wifi-weak-upstairs",
    "I forgot the wifi password": "wifi-password-forgotten",
    "I just moved and the router won't connect in the new house": "move-no-connection",
    "my laptop says connected but there's no internet": "wifi-connected-no-internet",
    "every time the phone rings the internet goes down": "drops-when-phone-rings",
    "my pod has an orange light": "halo-pod-orange",
    "my printer doesn't work anymore since I got the new router": "printer-lost-new-router",
    "video calls keep freezing": "video-calls-freeze-upload",
    "when it rains my internet gets bad": "line-crackles-rain",
    "my neighbors have internet and I don't": "outage-only-my-flat",
    "I have no signal on my cell phone since this morning": "no-mobile-signal",
    "I'm traveling abroad and my phone doesn't work here": "roaming-not-working",
    "how do I move my e sim to my new phone": "esim-new-phone",
    "I can't send picture messages": "mms-not-sending",
    "my voicemail doesn't work": "voicemail-not-working",
    "people call me and it goes straight to voicemail": "calls-straight-to-voicemail",
    "my phone wants a PUK code": "sim-puk-locked",
    "I'm not getting the text codes from my bank": "bank-codes-not-arriving",
    "the people I call can't hear me": "caller-cannot-hear-me",
    "my phone says no SIM card": "sim-not-detected",
    "I want to keep my number and the transfer is taking forever": "number-transfer-stuck",
    "all my emails are gone": "email-messages-disappeared",
    "I get hundreds of spam emails": "email-spam-flood",
    "my mailbox is full": "email-storage-full",
    "it says my email password is wrong": "email-password-not-accepted",
    "you charged me twice": "charged-twice",
    "my first bill is way too high": "first-bill-too-high",
    "I'm still waiting for my refund": "refund-not-arrived",
    "I sent the router back and you still charge me for it": "equipment-fee-after-return",
    "why did my bill go up": "discount-ended",
    "the TV screen is black but the box has a blue light": "lumobox-black-screen",
    "the remote control won't pair with the box": "remote-not-pairing",
    "there's no sound on my TV": "lumobox-no-sound",
    "my recordings have disappeared": "recordings-missing",
    "I'm locked out of my account": "account-locked",
}
NOTHING_FOR = (
    "I want to cancel my contract",
    "I'd like to buy a new phone",
    "do you have a shop near me",
    "my phone screen is cracked",
    "somebody stole my phone",
    "when will the technician come",
    "I want to speak to a manager about how I was treated",
    "can I get a discount as a student",
    "do you offer internet in my village",
    "I'd like to add insurance to my phone",
    "the technician drilled a hole in my wall",
    "I got a letter from a debt collector",
    "how much is the unlimited plan",
    "can you install a satellite dish",
    "my smoke detector keeps beeping",
    "I want to order a landline",
    "I need a receipt for my tax return",
    "what time does the train to Boston leave",
    "my washing machine is leaking",
    "I want to complain about a salesman who came to my door",
)
SPANISH = {
    "la luz del router está roja": "es-luz-roja-router",
    "el internet va muy lento por la noche": "es-internet-lento",
    "no tengo señal en el celular": "es-sin-senal-movil",
    "no me llegan los correos": "es-correo-no-llega",
    "me cobraron dos veces": "es-cobro-doble",
    "mi primera factura es muy cara": "es-primera-factura",
    "la tele está en negro": "es-pantalla-negra",
    "el wifi no llega a mi cuarto": "es-wifi-habitacion",
    "estoy de viaje y no me funcionan los datos": "es-roaming-viaje",
    "quiero pasar mi e sim al teléfono nuevo": "es-esim-telefono-nuevo",
    "el buzón de voz no funciona": "es-buzon-de-voz",
    "el control no responde": "es-mando-no-responde",
    "no me llega el correo para cambiar la contraseña": "es-contrasena-cuenta",
    "me mudé y no tengo internet": "es-mudanza",
    "quiero cambiar el titular del contrato": "es-titular-contrato",
}
NADA_PARA = (
    "quiero cancelar mi contrato",
    "quiero comprar un teléfono nuevo",
    "dónde está la tienda más cercana",
    "me robaron el celular",
    "cuánto cuesta el plan ilimitado",
    "mi lavadora pierde agua",
    "se me rompió la pantalla del teléfono",
    "quiero hablar con un encargado",
)


def answered(scenery: Scenery, language: str, solved: Mapping[str, str], unsolved: Sequence[str]) -> tuple[int, int]:
    """How many are offered the article that solves it, and how many another one, or one where none does."""
    finder = Finder(scenery.bundle, scenery.encoder)
    found = {words: finder.find(Query((), words, language)) for words in (*solved, *unsolved)}
    offered = {words: one.article_id for words, one in found.items() if isinstance(one, Match)}
    right = sum(offered.get(words) == article_id for words, article_id in solved.items())
    return right, len(offered) - right


def test_a_plain_sentence_is_offered_its_article(scenery: Scenery) -> None:
    right, wrong = answered(scenery, "en", ENGLISH, NOTHING_FOR)
    assert right >= 35
    assert wrong <= 2


def test_so_it_is_in_spanish_where_all_threads_look_alike_to_the_encoder(scenery: Scenery) -> None:
    right, wrong = answered(scenery, "es", SPANISH, NADA_PARA)
    assert right >= 11
    assert wrong <= 1
