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
    # one's own account
    "GET /account": "viewer",
    "POST /account": "viewer",
    "POST /account/password": "viewer",
    "POST /account/recovery-codes": "viewer",
    "POST /sign-out": "viewer",
}
