"""Rules that are ready to run for a brand: they name only what it has, and put together they are not too large."""

from datetime import datetime

from segments.conditions import Context
from segments.references import TooLarge, inlined, rules_problems
from segments.rules import InvalidRules, RuleProblem, Rules
from segments.selectors.audiences import context_for


def context_checked(*, rules: Rules, brand_id: int, now: datetime) -> Context:
    """What the rules are compiled for; raises InvalidRules with all that they name and the brand does not have."""
    problems = rules_problems(rules, brand_id)
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
