import pytest

from devices.delivery.transports.addresses import is_public_address


@pytest.mark.parametrize(
    "address", ["142.250.1.95", "17.57.144.20", "2a00:1450:4009::5f", "64:ff9b::8efa:15f", "2002:8efa:15f::1"]
)
def test_the_public_internet_is_public(address):
    assert is_public_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:c0a8:101::",
        "2001:db8::1",
        "2001::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "fec0::1",
        "ff02::1",
        "not an address",
    ],
)
def test_private_and_special_ranges_are_not(address):
    assert not is_public_address(address)
