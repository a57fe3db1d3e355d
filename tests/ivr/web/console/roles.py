"""Each route of the console with the least role it is for. A route that is not listed fails a test.

Add your routes' lines in your own group.
"""

ROLES = {
    # the ways in
    "GET /": "viewer",
    "GET /sign-in": "public",
    "POST /sign-in": "public",
    "POST /language": "public",
    "GET /join/<token>": "public",
    "POST /join/<token>": "public",
    "GET /oidc": "public",
    "GET /oidc/back": "public",
    # one's own account
    "GET /account": "viewer",
    "POST /account": "viewer",
    "POST /account/password": "viewer",
    "POST /account/recovery-codes": "viewer",
    "POST /sign-out": "viewer",
    # staff, tokens, audit log
    "GET /staff": "admin",
    "POST /staff": "admin",
    "POST /staff/<int:staff_id>/role": "admin",
    "POST /staff/<int:staff_id>/switch": "admin",
    "POST /staff/<int:staff_id>/reset": "admin",
    "GET /tokens": "admin",
    "POST /tokens": "admin",
    "POST /tokens/<int:token_id>/revoke": "admin",
    "GET /audit": "admin",
    # today
    "GET /today": "viewer",
    "GET /today/now": "viewer",
    "GET /today/controls": "viewer",
    "POST /today/offers": "editor",
    "GET /today/incidents": "viewer",
    "GET /today/incidents/new": "editor",
    "POST /today/incidents": "editor",
    "POST /today/incidents/<int:number>/end": "editor",
}
