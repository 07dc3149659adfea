"""What a web server needs on disk: the bundles that npm makes, and the collected static files."""

import sys
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import find, get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage

from smartpush.common.startup.environment import Problem
from smartpush.machine.bootstrap.frontend import bundles

_STATIC = "static/"


def static_problems() -> list[Problem]:
    """Return what is missing: pages that name a missing file would answer 500."""
    unbuilt = [name for name in _bundle_names(settings.BASE_DIR) if find(name) is None]
    found = []
    if unbuilt:
        text = f"Not built: {_some(unbuilt)}."
        advice = f"Type: cd {settings.BASE_DIR} && {sys.executable} -m smartpush.machine.bootstrap frontend"
        found.append(Problem("smartpush.E013", "bundles", text, advice))
    if isinstance(staticfiles_storage, ManifestFilesMixin) and not settings.DEBUG:
        uncollected = _uncollected(staticfiles_storage)
        if uncollected:
            text = f"Static files are not collected into {settings.STATIC_ROOT}: {_some(uncollected)}."
            advice = f"Type: {sys.executable} {settings.BASE_DIR / 'manage.py'} collectstatic --noinput"
            found.append(Problem("smartpush.E014", "static files", text, advice))
    return found


def _bundle_names(root: Path) -> list[str]:
    """The static files that npm makes for a running installation."""
    listed = (bundle for bundle in bundles(repository=root) if "run" in bundle.purposes)
    return [bundle.out.removeprefix(_STATIC) for bundle in listed if bundle.out.startswith(_STATIC)]


def _uncollected(storage: ManifestFilesMixin) -> list[str]:
    """Files of the installed applications without a collected copy under the name that pages use."""
    collected = storage.hashed_files
    root = Path(settings.STATIC_ROOT)
    there = {str(path.relative_to(root)) for path in root.rglob("*")} if collected else set()
    names = {path for finder in get_finders() for path, _ in finder.list([])}
    return sorted(name for name in names if collected.get(name) not in there)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"
