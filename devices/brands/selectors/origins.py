"""Where pushes go, in words: the address of a push service, or the app whose Firebase account sends them."""

from collections.abc import Iterable

from devices.brands.models import App

_PREFIX = "fcm:"  # as devices.installations.tokens.native_origin writes it


def origin_names(origins: Iterable[str]) -> dict[str, str]:
    """Each origin with the name to show for it; a native app's is asked for in one query, if there is any."""
    wanted = set(origins)
    ids = {int(origin.removeprefix(_PREFIX)) for origin in wanted if origin.startswith(_PREFIX)}
    names = {f"{_PREFIX}{app.pk}": str(app) for app in App.objects.filter(pk__in=ids)} if ids else {}
    return {origin: names.get(origin, origin) for origin in wanted}
