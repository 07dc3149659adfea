"""What a member of staff may do at which brand: the one mapping from roles to rights."""

from typing import Any

from django.db.models import QuerySet

from devices.brands.models import Brand, BrandMembership

Role = BrandMembership.Role

# Each role may do what the roles before it may.
_RANK: dict[str, int] = {Role.VIEWER: 0, Role.EDITOR: 1, Role.PUBLISHER: 2, Role.ADMIN: 3}
_RIGHTS: dict[str, str] = {
    Role.VIEWER: "see this",
    Role.EDITOR: "write content, segments and drafts",
    Role.PUBLISHER: "activate campaigns and send",
    Role.ADMIN: "change brand settings and staff",
}
_CACHE = "_smartpush_brand_roles"


def brand_roles(user: Any) -> dict[int, str]:
    """Brand id to role, read once per user object; empty for a superuser, who is above roles."""
    if not user.is_authenticated or not user.is_active or not user.is_staff or user.is_superuser:
        return {}
    roles: dict[int, str] | None = getattr(user, _CACHE, None)
    if roles is None:
        roles = dict(BrandMembership.objects.filter(user_id=user.pk).values_list("brand_id", "role"))
        setattr(user, _CACHE, roles)
    return roles


def _sees_all(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_active and user.is_staff and user.is_superuser)


def has_brand_role(user: Any, brand_id: int | None, role: str) -> bool:
    """Whether this member of staff holds at least `role` at the brand; superusers always do."""
    if _sees_all(user):
        return True
    held = brand_roles(user).get(brand_id) if brand_id is not None else None
    return held is not None and _RANK[held] >= _RANK[role]


def has_role_anywhere(user: Any, role: str) -> bool:
    """Whether this member of staff holds at least `role` at some brand."""
    return _sees_all(user) or any(_RANK[held] >= _RANK[role] for held in brand_roles(user).values())


def administered_brand_ids(user: Any) -> list[int]:
    """The brands whose settings and staff are this member's to change; not for superusers, who are above roles."""
    return [brand_id for brand_id, held in brand_roles(user).items() if held == Role.ADMIN]


def accessible_brands(user: Any) -> QuerySet[Brand]:
    """The brands that this member of staff works for, by name."""
    if _sees_all(user):
        return Brand.objects.all()
    return Brand.objects.filter(pk__in=list(brand_roles(user)))


def missing_right(role: str, brand: Brand | None) -> str:
    """The sentence that says which right is missing, and where."""
    where = f" at {brand}" if brand is not None else ""
    return (
        f"To {_RIGHTS[role]}{where} you need the role {Role(role).name.capitalize()} or above. "
        "Ask an admin of the brand for it."
    )
