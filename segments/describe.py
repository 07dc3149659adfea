"""Rules in words, for lists and for those who only read."""

from segments import fields
from segments.rules import AllOf, Condition, Not, Rule, Rules


def describe(rules: Rules) -> str:
    """One sentence without a full stop, such as "JS markers has NEWS and Language is en"."""
    if isinstance(rules.rule, AllOf) and not rules.rule.rules:
        return "Everybody"
    return _words(rules.rule, outer=True)


def _words(rule: Rule, *, outer: bool = False) -> str:
    if isinstance(rule, Condition):
        return _condition(rule)
    if isinstance(rule, Not):
        return f"not ({_words(rule.rule, outer=True)})"
    text = (" and " if isinstance(rule, AllOf) else " or ").join(_words(item) for item in rule.rules)
    return text if outer or len(rule.rules) == 1 else f"({text})"


def _condition(rule: Condition) -> str:
    field = fields.get(rule.field)
    if field is None:
        return rule.field
    operator = field.operator(rule.operator, rule.given)
    labels = dict(field.choices)
    if isinstance(rule.value, bool):
        return f"{field.label}: {'yes' if rule.value else 'no'}"
    values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    value = ", ".join(str(labels.get(item, item)) for item in values)
    return f"{field.label} {operator.label if operator else rule.operator} {value}"
