"""The installed package, once a worker."""

from pathlib import Path

import pytest

from smartpush.machine.bootstrap.node import Node

from .installing import install_package


@pytest.fixture(scope="session")
def site_with_package(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Node]:
    """A site's folder with the package in its node_modules, and the Node to work with."""
    folder = tmp_path_factory.mktemp("site")
    return folder, install_package(folder)
