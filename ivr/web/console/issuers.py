"""The company's OpenID Connect issuer as the console knows it, where the settings name one."""

from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, abort, current_app
from joserfc.errors import JoseError

from config.settings import Settings

WITHIN_S = 5
_NAME = "offhold_oidc"
#: whatever goes wrong on the way: the issuer is away, answers nonsense, or somebody made the answer up
FAILURES = (AuthlibBaseError, JoseError, requests.RequestException, ValueError, KeyError, TypeError, RuntimeError)


def install(app: Flask, settings: Settings) -> None:
    """Nothing is asked of the issuer before somebody signs in there."""
    app.extensions[_NAME] = None
    if settings.oidc_issuer is None or settings.oidc_client_secret is None:
        return
    registry = OAuth(app)
    app.extensions[_NAME] = registry.register(
        "oidc",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        server_metadata_url=f"{settings.oidc_issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": WITHIN_S,
        },
    )


def offered() -> bool:
    """Whether one can sign in at an issuer."""
    return current_app.extensions[_NAME] is not None


def client() -> Any:
    """The library's client of it; 404 where there is none."""
    return current_app.extensions[_NAME] or abort(404)
