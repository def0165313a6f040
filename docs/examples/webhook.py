"""Receive webhooks: KEY=whpk_… python webhook.py PORT. Python 3.11; whsec_… works too, and without `cryptography`."""

import base64
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = os.environ["KEY"]
TOLERANCE = 300  # seconds
seen = set()  # yours belongs into the transaction that stores the event


def verified(headers, body):
    """Whether the register has signed this request, now (Standard Webhooks 1.0)."""
    if abs(time.time() - int(headers["webhook-timestamp"])) > TOLERANCE:
        return False
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    kind, _, key = KEY.partition("_")
    for signature in headers["webhook-signature"].split():  # two of each while secrets are rotated
        version, _, value = signature.partition(",")
        if (kind, version) == ("whsec", "v1"):
            expected = hmac.digest(base64.b64decode(key), signed, "sha256")
            if hmac.compare_digest(expected, base64.b64decode(value)):
                return True
        if (kind, version) == ("whpk", "v1a"):
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

            try:
                Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(
                    base64.b64decode(value), signed
                )
                return True
            except InvalidSignature:
                continue
    return False


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps the connection for the next event

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            accepted = verified(self.headers, body)
        except (AttributeError, TypeError, ValueError):  # a header is missing, or is none of ours
            accepted = False
        if accepted and self.headers["webhook-id"] not in seen:  # an event may come again, never too early
            event = json.loads(body)
            print(event.get("position"), event["type"], flush=True)  # your work, before the answer
            seen.add(self.headers["webhook-id"])
        self.send_response(204 if accepted else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
