"""The test phone: a stand-in for Twilio, in its own process, that speaks its protocol over HTTP.

It reaches the service only as Twilio would: signed webhooks, the TwiML they answer with, and audio GETs; the
service reaches it by REST. Nothing of the service is imported here except the settings.
Protocol facts: the sections named in docstrings are Twilio's pages on TwiML voice, messaging and REST.
"""
