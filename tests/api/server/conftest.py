import pytest

from assets.services import PushDraft, PushVariantDraft, push_resource_save
from campaigns.models import Campaign
from devices.brands.services.api_keys import api_keys_forget
from devices.lifecycle.brands import brand_create
from devices.models import Brand
from smartpush.common.ids import public_id
from tests.api.server.client import Server
from tests.campaigns.world import World, flow_of


@pytest.fixture(autouse=True)
def fresh_keys():
    """What the test before was told of keys is forgotten."""
    api_keys_forget()


@pytest.fixture
def server(brand) -> Server:
    return Server(brand)


@pytest.fixture
def stranger(db) -> Server:
    """The server of another brand, which has an end user of the same id."""
    other = Server(brand_create(name="Other", origin="https://other.example"))
    other.users({"external_id": "ann", "properties": {"first_name": "THEIRS"}})
    return other


def push_of(brand: Brand, name: str = "Shipped") -> str:
    """Public id of a push resource of the brand."""
    variant = PushVariantDraft(language="en", title="Order {{ event.order }}", message="It is on its way.")
    revision = push_resource_save(brand=brand, name=name, draft=PushDraft(variants=(variant,)))
    return public_id("push", revision.resource_id)


def campaign_on(brand: Brand, *activities: dict, **fields) -> Campaign:
    """An active campaign of the brand with these activities."""
    world = World(brand=brand, app=brand.apps.first(), vapid=brand.vapid_keys.first())
    return world.campaign(flow_of(*activities), **fields)


@pytest.fixture
def shipped(brand) -> str:
    return push_of(brand)


@pytest.fixture
def subscriber(page):
    """Ann, known, who allowed pushes."""
    page.allow()
    page.session(external_id="ann")
    return page
