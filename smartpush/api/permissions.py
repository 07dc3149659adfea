"""Nothing is open by default: each endpoint says who may call it."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # DRF loads this module while its own views module is still loading
    from rest_framework.views import APIView


class DenyAll(BasePermission):
    """The default of every view that names no permission."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False
