"""The segment of those who allowed pushes and ticked a push category."""

from django.db import transaction

from devices.models import PushCategory
from segments.models import Segment
from segments.rules import parse_rules, rules_json
from segments.services.locks import segments_lock
from segments.services.segments import segment_save
from smartpush.common.database.free_names import free_name


@transaction.atomic
def segment_of_category(*, category: PushCategory) -> Segment:
    """*Allowed and subscribed to <category>*: the brand's segment with just these rules, made where it has none."""
    segments_lock(brand_id=category.brand_id)
    brand = category.brand
    rule = {
        "all": [
            {"field": "push_enabled", "operator": "is", "value": True},
            {"field": "js_markers", "operator": "has", "value": category.marker},
        ]
    }
    rules = {"version": 1, "rule": rule}
    stored = rules_json(parse_rules(rules))
    known = Segment.objects.filter(brand=brand, rules=stored).order_by("pk").first()
    if known is not None:
        return known
    wanted = f"Allowed and subscribed to {category.name}"[:110]
    name = free_name(rows=Segment.objects.filter(brand=brand), wanted=wanted)
    description = f"A push reaches them now, and they chose the category {category.name}."
    return segment_save(brand=brand, name=name, rules=rules, description=description)
