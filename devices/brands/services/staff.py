"""Who works for a brand: colleagues are added, given another role and let go by its admins, never locked out."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from devices.brands.models import Brand, BrandMembership
from devices.brands.selectors.staff import Role, administered_brand_ids

_NOT_A_NAME = "Type an e-mail address, or a user name of letters, digits and . + - _ only."


class CannotChangeStaff(Exception):
    """The sentence says why: not a name, somebody else's account, or the brand's last admin."""


@dataclass(frozen=True, slots=True)
class StaffAdded:
    """The membership, and whether the colleague still has to set a password by a link."""

    membership: BrandMembership
    needs_password: bool


@transaction.atomic
def staff_add(*, brand: Brand, name: str, role: str, by: Any) -> StaffAdded:
    """Let a person work for the brand, with a new account when there is none of this user name or e-mail address.

    An account that has no password yet gets a fresh secret, so that links shown earlier no longer open it. An account
    that works only where `by` is no admin is left alone. Raises CannotChangeStaff.
    """
    name = name.strip()
    if not name:
        raise CannotChangeStaff(_NOT_A_NAME)
    users = get_user_model()._default_manager
    user = users.select_for_update().filter(Q(username__iexact=name) | Q(email__iexact=name)).order_by("pk").first()
    if user is None:
        user = _account_new(name)
    elif not user.is_active or not user.is_staff or not _within_reach(user, by):
        raise CannotChangeStaff(
            f"There is an account called {name} that is not yours to add: it works for other brands, runs this "
            "installation or is switched off. Ask who runs this installation."
        )
    elif not user.has_usable_password():
        user.set_unusable_password()
        user.save(update_fields=["password"])
    if BrandMembership.objects.filter(brand=brand, user=user).exists():
        raise CannotChangeStaff(f"{user} works for {brand} already. Open the entry in the list to change the role.")
    membership = BrandMembership(brand=brand, user=user, role=role)
    membership.full_clean()
    membership.save()
    return StaffAdded(membership=membership, needs_password=not user.has_usable_password())


def _account_new(name: str) -> Any:
    users = get_user_model()
    user = users(username=name, email=name if "@" in name else "", is_staff=True)
    user.set_unusable_password()
    try:
        if "@" in name:
            validate_email(name)
        user.full_clean(exclude=["password"])
    except ValidationError as problem:
        raise CannotChangeStaff(_NOT_A_NAME) from problem
    user.save()
    return user


def _within_reach(user: Any, by: Any) -> bool:
    """Whether `by` may have to do with this account: it works only for brands that `by` is an admin of."""
    if by.is_superuser:
        return True
    if user.is_superuser:
        return False
    return not user.brand_memberships.exclude(brand_id__in=administered_brand_ids(by)).exists()


@transaction.atomic
def membership_change_role(*, membership: BrandMembership, role: str, by: Any) -> BrandMembership:
    """Give a colleague another role at the brand. Raises CannotChangeStaff."""
    held = _locked(membership, by)
    if held.role == Role.ADMIN and role != Role.ADMIN:
        _others_administer(held)
    held.role = role
    held.full_clean()
    held.save()
    return held


@transaction.atomic
def membership_remove(*, membership: BrandMembership, by: Any) -> None:
    """End somebody's work for the brand, at once; the account and its other brands stay. Raises CannotChangeStaff."""
    held = _locked(membership, by)
    if held.role == Role.ADMIN:
        _others_administer(held)
    held.delete()


def _locked(membership: BrandMembership, by: Any) -> BrandMembership:
    # The brand's row: two admins who let each other go at once must not both succeed.
    Brand.objects.select_for_update().get(pk=membership.brand_id)
    held = BrandMembership.objects.select_related("user", "brand").get(pk=membership.pk)
    if held.user.is_superuser and not by.is_superuser:
        raise CannotChangeStaff(f"{held.user} runs this installation; only who does may change this entry.")
    return held


def _others_administer(membership: BrandMembership) -> None:
    others = BrandMembership.objects.filter(
        brand_id=membership.brand_id, role=Role.ADMIN, user__is_active=True, user__is_staff=True
    ).exclude(pk=membership.pk)
    if not others.exists():
        raise CannotChangeStaff(
            f"{membership.user} is the last admin of {membership.brand}. Make somebody else an admin first."
        )


def link_renew(*, membership: BrandMembership, by: Any) -> None:
    """Make links shown earlier worthless, for a new one to be shown. Raises CannotChangeStaff."""
    with transaction.atomic():
        user = get_user_model()._default_manager.select_for_update().get(pk=membership.user_id)
        if user.has_usable_password():
            raise CannotChangeStaff(f"{user} has set a password; only they can change it.")
        if not user.is_active or not _within_reach(user, by):
            raise CannotChangeStaff(f"{user} works for other brands too. Ask who runs this installation for a link.")
        user.set_unusable_password()
        user.save(update_fields=["password"])
