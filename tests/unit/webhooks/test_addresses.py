"""Webhooks go to the internet, and to networks that the operator names: never to what is behind the register."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.delivery.webhooks.addresses import check_url, is_named, is_public
from registry.errors import InvalidInput

INSIDE = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.9.10", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
        "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b:1::1",
        "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1", "fc00::1",
        "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_what_is_not_the_internet_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1", "2620:fe::fe"],
)
def test_what_is_the_internet_is_not(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_nothing_is_public_that_python_takes_for_private(address: IPv4Address | IPv6Address) -> None:
    special = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    assert not (is_public(address) and (special or address.is_reserved or address.is_unspecified))


@given(st.integers(0, 2**32 - 1))
def test_no_way_of_writing_an_ipv4_address_within_ipv6_is_public(address: int) -> None:
    for prefix in ("::ffff:0:0", "64:ff9b::", "::"):
        assert not is_public(IPv6Address(int(IPv6Address(prefix)) | address))
    assert not is_public(IPv6Address((0x2002 << 112) | (address << 80)))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "https://", "https:///path", "example.org", "//example.org/",
        "https://user@example.org/", "https://user:secret@example.org/", "https://example.org/#part",
        "https://example.org/#", "https://example.org:0/", "https://example.org:65536/", "https://exa mple.org/",
        "https://exam\\ple.org/", "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
        "https://[fe80::1%25eth0]/", "https://169.254.169.254/latest/meta-data", "",
    ],
)  # fmt: skip
def test_what_is_no_endpoint_is_refused_when_it_is_registered(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_url(url, ())
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "normalised"),
    [
        ("https://example.org/hook?token=1", "https://example.org/hook?token=1"),
        ("HTTPS://Ñandú.example:8443/a b", "https://xn--and-6ma2c.example:8443/a%20b"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        # Whether it leads somewhere is seen when it is resolved.
        ("https://2130706433/", "https://2130706433/"),
    ],
)
def test_an_endpoint_is_normalised(url: str, normalised: str) -> None:
    assert check_url(url, ()) == normalised


def test_named_networks_are_open_without_encryption_and_all_others_stay_closed() -> None:
    assert check_url("http://10.1.2.3:8080/hook", INSIDE) == "http://10.1.2.3:8080/hook"
    assert check_url("http://inside.example/", INSIDE) == "http://inside.example/"
    with pytest.raises(InvalidInput):
        check_url("http://10.2.0.1/", INSIDE)
    assert is_named(ip_address("fd12::1"), INSIDE)
    assert not is_named(ip_address("8.8.8.8"), INSIDE)
