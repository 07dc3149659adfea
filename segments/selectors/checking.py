"""Rules that are ready to run for a brand: they name only what it has, and put together they are not too large."""

from collections.abc import Iterator
from datetime import datetime

from segments import fields
from segments.arguments import ParamKind
from segments.conditions import Context
from segments.references import TooLarge, inlined
from segments.rules import Condition, InvalidRules, RuleProblem, Rules, conditions_of
from segments.selectors.matching import context_for


def context_checked(*, rules: Rules, brand_id: int, now: datetime) -> Context:
    """What the rules are compiled for; raises InvalidRules with all that they name and the brand does not have."""
    problems = [problem for path, rule in conditions_of(rules) for problem in _foreign(path, rule, brand_id)]
    if problems:
        raise InvalidRules(problems)
    try:
        context = context_for(rules=rules, brand_id=brand_id, now=now)
        inlined(rules, context.segments)
    except InvalidRules as error:
        message = "A segment that the rules name has rules that need to be mended: open it, or choose another."
        raise InvalidRules([RuleProblem("", message)]) from error
    except TooLarge as error:
        message = "With those of the segments that they name, the rules are too many: make them fewer."
        raise InvalidRules([RuleProblem("", message)]) from error
    return context


def _foreign(path: str, rule: Condition, brand_id: int) -> Iterator[RuleProblem]:
    field = fields.get(rule.field)
    if field is None:
        return
    message = field.check(brand_id, rule.value, rule.given) if field.check is not None else None
    if message is not None:
        yield RuleProblem(f"{path}.value", f"{field.label}: {message}")
    for param in field.params:
        if param.kind is not ParamKind.REFERENCE or param.brand_choices is None or param.name not in rule.given:
            continue
        if rule.given[param.name] not in {number for number, _ in param.brand_choices(brand_id)}:
            message = "The brand does not have this one (any more): choose another."
            yield RuleProblem(f"{path}.params.{param.name}", f"{field.label}: {message}")
