"""Signatures are those of Standard Webhooks 1.0.0: as its own library checks them, and by its known answers."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from api.delivery.webhooks.endpoints import Sealing, Secret
from api.delivery.webhooks.outcomes import Outcome
from api.delivery.webhooks.sending import message_of_a_test, send
from api.delivery.webhooks.signing import Secrets, signed_headers, webhook_id
from registry.privacy.master import MasterKey

ENDPOINT = UUID("c8b1e5a2-7a39-4f0e-9a0e-4d0c1f0a2b3c")


def verify_v1a(public_key: str, headers: dict[str, str], body: bytes) -> None:
    """As the specification says; its Python library leaves it out. Raises InvalidSignature."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    for signature in headers["webhook-signature"].split(" "):
        version, _, value = signature.partition(",")
        if version == "v1a":
            try:
                return key.verify(base64.b64decode(value), signed)
            except InvalidSignature:
                continue
    raise InvalidSignature


@given(st.text().map(str.encode), st.integers(1, 2))
def test_the_librarys_own_check_passes_and_so_does_ed25519(body: bytes, live: int) -> None:
    secrets = [Secrets.generate() for _ in range(live)]
    # The library compares with its own clock, and the module may have been read long ago.
    now = int(datetime.now(UTC).timestamp())
    headers = signed_headers(secrets, webhook_id(ENDPOINT, "event"), now, body)
    for each in secrets:  # the new one and the old one
        Webhook(each.secret).verify(body, headers, json_parse=False)
        verify_v1a(each.public_key, headers, body)
    stranger = Secrets.generate()
    with pytest.raises(WebhookVerificationError):
        Webhook(stranger.secret).verify(body, headers, json_parse=False)
    with pytest.raises(InvalidSignature):
        verify_v1a(stranger.public_key, headers, body)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0].secret).verify(body + b" ", headers, json_parse=False)


def test_the_signature_of_the_librarys_own_test_is_made_again() -> None:
    # libraries/python/tests/test_webhooks.py and its siblings in the specification's repository
    shared = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    secrets = Secrets(shared, bytes(32))
    message = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert secrets.sign(message)[0] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_ed25519_signs_as_rfc_8032_says() -> None:
    # RFC 8032, section 7.1, test 2
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    secrets = Secrets(bytes(32), seed)
    assert base64.b64decode(secrets.public_key.removeprefix("whpk_")) == public
    assert base64.b64decode(secrets.sign(b"\x72")[1].removeprefix("v1a,")) == signature


def test_an_event_has_one_id_at_each_endpoint_and_it_holds_no_full_stop() -> None:
    other = UUID(int=1)
    ids = {webhook_id(endpoint, event) for endpoint in (ENDPOINT, other) for event in ("a", "b")}
    assert len(ids) == 4
    assert webhook_id(ENDPOINT, "a") == webhook_id(ENDPOINT, "a")
    assert not any("." in str(one) for one in ids)


def test_secrets_are_sealed_for_their_endpoint_and_number_alone() -> None:
    sealing, secrets = Sealing(MasterKey(bytes(32))), Secrets.generate()
    sealed = sealing.seal_secrets(ENDPOINT, 1, secrets)
    assert secrets.shared not in sealed
    assert secrets.seed not in sealed
    assert Secrets.parse(secrets.serialise()) == secrets
    with pytest.raises(ValueError, match="bytes"):
        Secrets.parse(b"short")


async def test_secrets_that_have_retired_sign_no_more_and_a_test_is_a_cloudevent() -> None:
    now = datetime.now(UTC)
    old, new = Secrets.generate(), Secrets.generate()
    live = (Secret(2, new, None), Secret(1, old, now))
    sent: list[tuple[str, dict[str, str], bytes]] = []

    async def post(url: str, headers: dict[str, str], body: bytes) -> Outcome:
        sent.append((url, headers, body))
        return Outcome(204, None, now - now)

    message = message_of_a_test(ENDPOINT, "//log.example/test", now)
    await send(post, "https://example.org/", live, message, now)  # type: ignore[arg-type]
    ((_, headers, body),) = sent
    Webhook(new.secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old.secret).verify(body, headers)
    event = json.loads(body)
    assert event["specversion"] == "1.0"
    assert (event["type"], event["subject"]) == ("webhook.tested", f"webhook/{ENDPOINT}")
