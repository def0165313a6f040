"""Where webhooks may go: to the public internet, and to networks that the operator names. Pure.

An endpoint's name is somebody else's to point wherever they like, at our own machines too, so what counts is the
address that is connected to (:mod:`api.delivery.webhooks.client` asks here after every resolution). Ranges are those of
the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), written out: what ``ipaddress`` calls global has
changed between versions of Python.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

import httpx

from registry.errors import InvalidInput

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

HTTPS: Final = "https"

# A name in ASCII (RFC 5890) or an IPv6 address. Whether it means anything, the resolver says.
_HOST: Final = re.compile(rb"[a-z0-9._-]+|[0-9a-f:.]+")

_REFUSED_IPV4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a carrier's NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and where clouds keep their machines' credentials
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""All else is loopback, mapped IPv4 (``::ffff:0:0/96``), NAT64 (``64:ff9b::/96``), private, link-local, multicast."""

_REFUSED_IPV6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: holds an IPv4 address
        "3fff::/20",  # documentation
    )
)


def is_public(address: Address) -> bool:
    """Whether everybody may be asked to reach it."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_IPV4)
    return address in _GLOBAL_UNICAST and not any(address in network for network in _REFUSED_IPV6)


def is_named(address: Address, networks: Sequence[Network]) -> bool:
    """Whether it lies in one of the networks that the operator names."""
    return any(address in network for network in networks)


def check_url(url: str, networks: Sequence[Network]) -> str:
    """The URL of an endpoint, normalised. Where its name points is seen at each connection; a bare address, now.

    :raises InvalidInput: it is no https URL (http, where no networks are named), holds a password, or names an address
        that is not allowed.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise _not_a_url() from None
    if parsed.scheme not in (HTTPS, "http") or not _HOST.fullmatch(parsed.raw_host):
        raise _not_a_url()
    if parsed.port is not None and not 0 < parsed.port < 1 << 16:
        raise _not_a_url()
    if parsed.userinfo or "#" in url:
        raise InvalidInput(
            "url",
            "Sin usuario, contraseña ni fragmento: lo que prueba quién envía es la firma. Quítelos de la dirección.",
            "Without user, password or fragment: the signature proves who sends. Take them out of the address.",
        )
    if parsed.scheme != HTTPS and not networks:
        raise InvalidInput(
            "url",
            "Solo se entrega por https. Use una dirección que empiece con https://.",
            "Deliveries go over https only. Use an address that begins with https://.",
        )
    try:
        address = ip_address(parsed.host)
    except ValueError:
        return str(parsed)
    if not (is_public(address) or is_named(address, networks)):
        raise InvalidInput(
            "url",
            "La dirección es de una red privada o reservada. Use una que se alcance desde internet.",
            "The address belongs to a private or reserved network. Use one that is reached from the internet.",
        )
    return str(parsed)


def _not_a_url() -> InvalidInput:
    return InvalidInput(
        "url",
        "Indique una dirección completa, como https://ejemplo.mx/constancia.",
        "Give a whole address, such as https://example.org/constancia.",
    )
