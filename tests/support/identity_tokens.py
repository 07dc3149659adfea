"""What a brand's own server does: a P-256 key pair and the tokens that it signs."""

import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from devices.installations.identity import identity_key_add
from devices.models import Brand, IdentityKey


def private_pem(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Signer:
    """One key of a brand, stored with us, and its private half."""

    def __init__(self, brand: Brand, kid: str = "k1") -> None:
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.key: IdentityKey = identity_key_add(brand=brand, kid=kid, public_key=public_pem(self.private))

    def token(
        self, sub: Any = "ann", *, now: float | None = None, header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """A good token for `sub` that ends in ten minutes, but for what is given; None leaves a claim out."""
        begun = int(time.time() if now is None else now)
        body = {"sub": sub, "iat": begun, "exp": begun + 600} | claims
        return jwt.api_jws.encode(
            jwt.api_jwt.json.dumps({name: value for name, value in body.items() if value is not None}).encode(),
            self.private,
            algorithm="ES256",
            headers={"kid": self.kid} | (header or {}),
        )
