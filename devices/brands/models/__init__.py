"""Brands, their apps, keys, members of staff and incidents."""

from devices.brands.models.api_keys import ApiKey
from devices.brands.models.brands import App, Brand, BrandMembership, VapidKey
from devices.brands.models.identity import IdentityKey, IdentityObservation
from devices.brands.models.incidents import Incident
from devices.brands.models.refused_origins import RefusedOrigin

__all__ = [
    "ApiKey",
    "App",
    "Brand",
    "BrandMembership",
    "IdentityKey",
    "IdentityObservation",
    "Incident",
    "RefusedOrigin",
    "VapidKey",
]
