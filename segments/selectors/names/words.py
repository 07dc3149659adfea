"""Rules in words, with what the brand calls the segments, campaigns and so on that they name."""

from collections.abc import Iterable

from segments import fields
from segments.arguments import ParamKind
from segments.describe import Names, describe
from segments.models import Segment
from segments.rules import Rules, conditions_of, segments_of


def rules_in_words(*, rules: Rules, brand_id: int) -> str:
    """One sentence without a full stop."""
    return describe(rules, names_in(rules=[rules], brand_id=brand_id))


def names_in(*, rules: Iterable[Rules], brand_id: int) -> Names:
    """The names of all that these rules name by number: one query for the segments, one for each other kind."""
    listed = list(rules)
    named = set().union(*(segments_of(item) for item in listed))
    segments = Segment.objects.filter(brand_id=brand_id, pk__in=named).values_list("pk", "name") if named else ()
    found = {("segment", key): name for key, name in segments}
    read = set()
    for item in listed:
        for _path, rule in conditions_of(item):
            field = fields.get(rule.field)
            for param in field.params if field is not None else ():
                if param.kind is ParamKind.REFERENCE and param.name in rule.given and param.name not in read:
                    read.add(param.name)
                    choices = param.brand_choices(brand_id) if param.brand_choices is not None else ()
                    found |= {(param.name, key): name for key, name in choices}
    return found
