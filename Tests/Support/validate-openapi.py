#!/usr/bin/env python3
"""Checks recorded HTTP exchanges against an OpenAPI 3.0 document.

    validate-openapi.py DOCUMENT.json EXCHANGES.jsonl

Each line of EXCHANGES is an object: method, url, body (text or null), and optionally status, contentType (text or null) and answer (text),
which are then checked too.
Prints one line per violation and exits with 1 if there are any; exits with 2 when the library is missing: pip install openapi-core
"""

import json
import sys
from urllib.parse import parse_qsl, urlsplit

try:
    from openapi_core import Config, OpenAPI
    from openapi_core.datatypes import RequestParameters
    from werkzeug.datastructures import Headers, ImmutableMultiDict
except ImportError as error:
    print(f"{error}; install the package openapi-core", file=sys.stderr)
    sys.exit(2)


class Request:
    def __init__(self, exchange, server):
        parts = urlsplit(exchange["url"])
        self.host_url = server
        self.path = parts.path
        self.path_pattern = None
        self.method = exchange["method"].lower()
        self.content_type = "application/json"
        self.body = exchange["body"].encode() if exchange.get("body") else None
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True)),
            header=Headers({"Authorization": "Bearer token"}),
            cookie=ImmutableMultiDict(),
        )


class Response:
    def __init__(self, exchange):
        self.data = exchange["answer"].encode()
        self.status_code = exchange["status"]
        self.content_type = exchange.get("contentType") or ""
        self.headers = Headers()


def reasons(error):
    """What does not fit, and where; for alternatives, the deepest places."""
    found = []
    while error is not None:
        nested = getattr(error, "schema_errors", None)
        if not nested and error.__cause__ is None:
            found.append(f"{type(error).__name__}: {error}"[:300])
        for place in nested or []:
            alternatives = sorted(place.context or [], key=lambda it: len(it.absolute_path), reverse=True)[:3]
            for it in alternatives or [place]:
                found.append(f"at /{'/'.join(str(step) for step in it.absolute_path)}: {it.message[:300]}")
        error = error.__cause__
    return "; ".join(found)


def main(document, exchanges):
    with open(document) as file:
        spec = json.load(file)
    server = spec["servers"][0]["url"]
    # The document itself is the contract's; only what is said with it is checked here.
    api = OpenAPI.from_dict(spec, config=Config(spec_validator_cls=None))
    checked, violations = 0, 0
    with open(exchanges) as file:
        for line in file:
            exchange = json.loads(line)
            request = Request(exchange, server)
            steps = [("request", lambda: api.validate_request(request))]
            if "status" in exchange:
                steps.append(("answer", lambda: api.validate_response(request, Response(exchange))))
            for what, check in steps:
                # A refused request is an example of a wrong one.
                if what == "request" and exchange.get("status", 200) >= 400:
                    continue
                checked += 1
                try:
                    check()
                except Exception as error:
                    violations += 1
                    status = exchange.get("status", "")
                    print(f"{exchange['method']} {exchange['url']} {status}: {what}: {reasons(error)}")
    print(f"{checked} checks, {violations} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(64)
    sys.exit(main(sys.argv[1], sys.argv[2]))
